"""The lines of PROTOCOL.md: one JSON object each, UTF-8, NaN and Infinity bare."""

from __future__ import annotations

import json
from typing import Any, Mapping

from .values import Deferred, Unreadable

PROTOCOL = 1

_encoder = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, check_circular=False, default=str
)


def encoded(line: Mapping[str, Any]) -> bytes:
    """One object as a line with its end."""
    return (_encoder.encode(line) + "\n").encode("utf-8", "replace")


def flattened(
    metrics: Mapping[Any, Any], into: dict[str, Any], left_out: dict[str, str], prefix: str = ""
) -> dict[str, Any]:
    """Nested metrics joined by ``/``, deferred ones read; what is no number goes to ``left_out``."""
    for key, value in metrics.items():
        name = prefix + str(key)
        if isinstance(value, Deferred):
            value = value.read()
        if isinstance(value, dict):
            flattened(value, into, left_out, name + "/")
        elif isinstance(value, Unreadable):
            left_out[name] = value.kind
        elif value is not None:
            into[name] = value
    return into


def jsonable(value: Any, depth: int = 0) -> Any:
    """A configuration as JSON can hold it: what it does not know becomes text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth < 16:
        if isinstance(value, Mapping):
            return {str(key): jsonable(member, depth + 1) for key, member in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [jsonable(member, depth + 1) for member in value]
        if hasattr(value, "__dict__") and type(value).__name__ in ("Namespace", "SimpleNamespace"):
            return jsonable(vars(value), depth + 1)
    return str(value)
