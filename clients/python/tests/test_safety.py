"""Who may reach the run, and what a bad client costs: its connection, and nothing else."""

import json
import os
import socket
import stat
import subprocess
import sys
import textwrap

import pytest
from conftest import PATIENCE, Watcher, events_of, has_come, steps_of, wait_until

import seismo
from seismo import control, folder


def still_obeys(run):
    """Whether the run takes a command from a new client."""
    watcher = Watcher(run.control)
    before = len(run._hands.inbox)
    watcher.send("note hello", id=1)
    has_come(run, before + 1)
    run.poll()
    answer = watcher.answer()
    watcher.close()
    return answer["answer"] == "applied"


def is_closed(watcher):
    try:
        while watcher.socket.recv(65536):
            pass
    except OSError:
        pass
    return True


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe garbage \x1b[2J\n",
        b"[]\n",
        b"5\n",
        b'{"command":5}\n',
        b'{"command":"  "}\n',
        b"[" * 8000 + b"\n",
        b'{"command":"note \\u001b[31mred"}\n',
        b'{"command":"note \\ud800"}\n',
    ],
)
def test_garbage_is_refused_with_a_reason(run, garbage):
    watcher = Watcher(run.control)
    watcher.socket.sendall(garbage)
    answer = watcher.answer()
    assert answer["answer"] == "refused"
    assert "\x1b" not in answer["reason"]
    assert still_obeys(run)
    run.finish()
    assert [event["text"] for event in events_of(run.path)] == ["hello"]


def test_a_hundred_megabytes_in_a_line_lose_the_connection(run):
    watcher = Watcher(run.control)
    chunk = b"x" * (1 << 20)
    sent = 0
    with pytest.raises(OSError):
        for _ in range(100):
            watcher.socket.sendall(chunk)
            sent += len(chunk)
    assert sent < 100 << 20
    assert still_obeys(run)


def test_a_flood_of_commands_is_held_back_and_answered(run):
    watcher = Watcher(run.control)
    for id in range(control.WAITING_LIMIT + 10):
        watcher.send("note flood", id=id)
    refused = [watcher.answer() for _ in range(10)]
    assert all("too many commands wait" in answer["reason"] for answer in refused)
    assert len(run._hands.inbox) == control.WAITING_LIMIT
    run.poll()
    assert [watcher.answer()["answer"] for _ in range(control.WAITING_LIMIT)] == [
        "applied"
    ] * control.WAITING_LIMIT


def test_who_does_not_take_the_answers_is_dropped(run):
    watcher = Watcher(run.control)
    with pytest.raises(OSError):
        for _ in range(200_000):
            watcher.socket.sendall(b'{"command":"nonsense","id":1}\n')
    assert still_obeys(run)


def test_a_client_that_says_half_a_line_and_stays_costs_nothing(run):
    watcher = Watcher(run.control)
    watcher.socket.sendall(b'{"command":"note ha')
    assert still_obeys(run)
    watcher.socket.sendall(b'lf"}\n')
    has_come(run)
    run.poll()
    assert watcher.answer()["answer"] == "applied"


def test_more_clients_than_it_serves_are_turned_away(run):
    watchers = [Watcher(run.control) for _ in range(control.CONNECTION_LIMIT)]
    wait_until(
        lambda: len(run._journal.transport._server._connections) == control.CONNECTION_LIMIT,
        "all of them",
    )
    assert is_closed(Watcher(run.control))
    for watcher in watchers:
        watcher.close()
    wait_until(lambda: not run._journal.transport._server._connections, "their end")
    assert still_obeys(run)


def test_a_client_that_goes_before_its_answer_harms_nothing(run):
    for _ in range(20):
        watcher = Watcher(run.control)
        watcher.send("note gone")
        watcher.close()
    has_come(run, 20)
    run.poll()
    assert still_obeys(run)
    run.finish()
    assert len(events_of(run.path, "note")) == 21


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another account")
def test_another_account_is_refused_by_the_folder_and_by_its_credentials(run):
    attempt = textwrap.dedent("""
        import os, socket, sys
        os.setgid(65534); os.setuid(65534)
        other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            other.connect(sys.argv[1])
            other.sendall(b'{"command":"note intruder","id":1}\\n')
            sys.exit(3 if other.recv(100) else 2)
        except PermissionError:
            sys.exit(1)
        except OSError:
            sys.exit(2)
    """)

    def tried():
        return subprocess.run(
            [sys.executable, "-S", "-c", attempt, run.control], check=False, timeout=PATIENCE
        ).returncode

    assert tried() == 1
    for path in (os.path.dirname(os.path.dirname(run.control)), os.path.dirname(run.control)):
        os.chmod(path, 0o755)
    os.chmod(run.control, 0o666)
    assert tried() == 2
    assert still_obeys(run)


def test_a_peer_of_another_account_is_closed_at_once(run, monkeypatch):
    monkeypatch.setattr(control, "peer_user", lambda connected: os.getuid() + 1)
    assert is_closed(Watcher(run.control))
    monkeypatch.undo()


def test_a_folder_that_is_open_is_closed_and_a_link_is_not_used(tmp_path, monkeypatch, capsys):
    runtime = os.environ["XDG_RUNTIME_DIR"]
    os.mkdir(os.path.join(runtime, "seismo"), 0o777)
    run = seismo.init(name="x")
    assert stat.S_IMODE(os.stat(os.path.dirname(run.control)).st_mode) == 0o700
    run.finish()
    os.rmdir(os.path.join(runtime, "seismo"))
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", os.path.join(runtime, "seismo"))
    run = seismo.init(name="x")
    assert run.control is None or not run.control.startswith(runtime)
    run.finish()


def test_a_run_without_a_socket_is_a_run(monkeypatch, capsys):
    monkeypatch.setattr(folder, "folders", lambda: iter(()))
    run = seismo.init(name="x")
    run.log({"loss": 1.0})
    run.finish()
    assert run.control is None
    assert len(steps_of(run.path)) == 1
    assert "no folder for the control socket" in capsys.readouterr().err


def test_escapes_in_names_and_texts_do_not_reach_the_file_raw(run):
    run.log({"\x1b]0;owned\x07": 1.0, "text": "\x1b[2J", "a\nb": 2.0})
    run.note("\x1b[31mred\x07")
    run.finish()
    with open(run.path, "rb") as file:
        content = file.read()
    assert b"\x1b" not in content
    assert b"\x07" not in content
    assert all(json.loads(line) for line in content.splitlines())


@pytest.mark.parametrize("place", ["elsewhere", "link", "file", "open"])
def test_a_control_path_of_a_log_is_used_only_in_ones_own_folder(place, run, tmp_path):
    assert folder.is_own_socket(run.control)
    own = os.path.dirname(run.control)
    path = os.path.join(own, "other.sock")
    if place == "elsewhere":
        path = str(tmp_path / "s.sock")
        socket.socket(socket.AF_UNIX).bind(path)
    elif place == "link":
        os.symlink(run.control, path)
    elif place == "file":
        with open(path, "w"):
            pass
    else:
        path = run.control
        os.chmod(own, 0o755)
    assert not folder.is_own_socket(path)
    os.chmod(own, 0o700)
    for traversal in (own + "/../seismo/" + os.path.basename(run.control), "", "\0", "relative"):
        assert not folder.is_own_socket(traversal)
