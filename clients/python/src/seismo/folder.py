"""Where control sockets lie: a folder that nobody but this account can enter."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

#: A Unix socket's path has 108 bytes, one of them for its end.
LONGEST_PATH = 107


def socket_path(name: str) -> str:
    """A path for ``name`` in the first folder that is this account's own, made where it is absent.

    Raises:
        OSError: with what is wrong with the last one tried.
    """
    flaw = "none is known"
    for folder in folders():
        path = os.path.join(folder, name)
        if len(os.fsencode(path)) > LONGEST_PATH:
            flaw = f"{folder} is too long a path"
            continue
        found = _flaw(folder)
        if found is None:
            return path
        flaw = found
    raise OSError(
        f"no folder for the control socket: {flaw}: set XDG_RUNTIME_DIR to a folder of your own"
    )


def folders() -> Iterator[str]:
    """The folders in which a socket of this account may lie."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        yield os.path.join(runtime, "seismo")
    for shared in (os.environ.get("TMPDIR", ""), "/tmp"):
        if shared.startswith("/"):
            yield os.path.join(shared, f"seismo-{os.getuid()}")


def _flaw(folder: str) -> str | None:
    """Who can enter the folder can steer the run: links and others' folders are refused."""
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        return f"{folder} cannot be made: {error.strerror}"
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        return f"{folder} is not a folder of this account"
    if status.st_mode & 0o077:
        try:
            os.chmod(folder, 0o700)
        except OSError:
            return f"{folder} is open to others"
    return None


def is_own_socket(path: str) -> bool:
    """Whether a path that a log names is a socket of this account in a folder of its own."""
    try:
        if os.path.realpath(path) != os.path.join(
            os.path.realpath(os.path.dirname(path)), os.path.basename(path)
        ):
            return False
        if os.path.dirname(path) not in set(folders()):
            return False
        folder, status = os.lstat(os.path.dirname(path)), os.lstat(path)
    except (OSError, ValueError):
        return False
    return (
        stat.S_ISDIR(folder.st_mode)
        and folder.st_uid == os.getuid()
        and not folder.st_mode & 0o077
        and stat.S_ISSOCK(status.st_mode)
        and status.st_uid == os.getuid()
    )
