"""What others ask of a run, as it comes over a socket or a pipe."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Callable

#: Names under which the run itself acts.
_RESERVED = frozenset(
    ("run", "run.toml", "script", "alarm", "autopilot", "command line", "recorder", "log")
)
_LONGEST_AUTHOR = 40
_LONGEST_MARK = 64


@dataclass
class Request:
    """One command: its words, who gives it, and where its answer goes."""

    words: str
    by: str = "control"
    id: int | None = None
    #: Asked again with the same mark, after a broken connection, it is not done again.
    once: str | None = None
    reply: Callable[[bytes], None] = field(default=lambda line: None, repr=False)

    def answer(
        self,
        applied: bool,
        text: str,
        step: int | None = None,
        before: object = None,
        after: object = None,
    ) -> dict[str, Any]:
        """The line that says what became of it: ``{"answer":"applied","step":13,"text":…}``."""
        line: dict[str, Any] = {"answer": "applied" if applied else "refused"}
        if self.id is not None:
            line["id"] = self.id
        if step is not None:
            line["step"] = step
        if before is not None or after is not None:
            line.update(before=before, after=after)
        line["text" if applied else "reason"] = text
        return line


class Flaw(Exception):
    """Why a line is no request, in words for the one who sent it."""

    def __init__(self, reason: str, id: int | None = None) -> None:
        super().__init__(reason)
        self.id = id


def read_request(line: bytes) -> Request:
    """Reads ``{"command":"set lr.multiplier 0.5","by":"you","id":7}``.

    Raises:
        Flaw: if it is none.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Flaw(f"no JSON: {str(error)[:80]}") from None
    if not isinstance(value, dict):
        raise Flaw('write {"command":"pause"}')
    id = value.get("id")
    id = id if isinstance(id, int) and not isinstance(id, bool) and abs(id) < 1 << 53 else None
    words = value.get("command")
    if not isinstance(words, str) or not words.strip():
        raise Flaw('write {"command":"pause"}', id)
    if not is_plain(words):
        raise Flaw("the command holds control characters", id)
    author, once = value.get("by"), value.get("once")
    return Request(
        words=words.strip(),
        by=author if isinstance(author, str) and _is_name(author) else "control",
        id=id,
        once=once if isinstance(once, str) and 1 <= len(once) <= _LONGEST_MARK else None,
    )


def _is_name(author: str) -> bool:
    return 1 <= len(author) <= _LONGEST_AUTHOR and is_plain(author) and author not in _RESERVED


def is_plain(text: str) -> bool:
    """Whether it holds no control characters, which could steer a terminal."""
    return not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)
