import Glibc
import Telemetry
import Testing

@testable import Sessions

@Suite(.timeLimit(.minutes(15))) struct SessionErrorTests {
  @Test func `each error is one line: what, where, what to do`() {
    let lines: [(SessionError, String)] = [
      (
        .absent(path: "a.seismo"),
        "no session at a.seismo: 'seismo sessions' lists what is recorded"
      ),
      (
        .exists(path: "a.seismo"),
        "a.seismo exists already: name another file with --session, or go on with --resume"
      ),
      (.taken(path: "a.seismo"), "a.seismo exists already: choose another name"),
      (
        .alreadyWritten(path: "a.seismo"),
        "a.seismo is being written by another process: look on with 'seismo watch a.seismo', "
          + "or name another file with --session"
      ),
      (
        .notASession(path: "a.seismo", found: "an empty file"),
        "a.seismo is no session of Seismo but an empty file: give a .seismo file"
      ),
      (
        .newer(path: "a.seismo", found: 9, known: 1),
        "a.seismo has format 9, this Seismo knows 1: read it with a newer Seismo"
      ),
      (
        .damaged(path: "a.seismo", what: "database disk image is malformed"),
        "a.seismo is damaged: database disk image is malformed: "
          + "go back to a copy or to the run's last checkpoint"
      ),
      (
        .unreadable(path: "a.seismo", reason: "Permission denied"),
        "cannot read a.seismo: Permission denied: check its permissions and its folder's"
      ),
      (
        .unwritable(path: "a.seismo", reason: .fullDisk),
        "cannot write a.seismo: the disk is full: "
          + "free the disk, or name another file with --session"
      ),
      (
        .unwritable(path: "no/a.seismo", reason: .system(SystemFault(ENOENT))),
        "cannot write no/a.seismo: No such file or directory: "
          + "make its folder, or name another file with --session"
      ),
      (
        .unwritable(path: "a.seismo", reason: .system(SystemFault(EACCES))),
        "cannot write a.seismo: Permission denied: "
          + "change its permissions or its folder's, or name another file with --session"
      ),
      (
        .unwritable(path: "a.seismo", reason: .locked),
        "cannot write a.seismo: it is locked by another process: "
          + "end that process, or name another file with --session"
      ),
      (
        .recordsUnwritten(path: "a.seismo", records: 12, reason: .fullDisk),
        "12 records could not be written to a.seismo: the disk is full: "
          + "free the disk sooner, or name another file with --session"
      ),
    ]
    for (error, line) in lines { #expect("\(error)" == line) }
  }
}
