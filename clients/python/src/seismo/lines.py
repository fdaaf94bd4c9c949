"""The lines of PROTOCOL.md: one JSON object each, UTF-8, NaN and Infinity bare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from .values import Deferred, Unreadable

PROTOCOL = 1

_encoder = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, check_circular=False, default=str
)


def encoded(line: Mapping[str, Any]) -> bytes:
    """One object as a line with its end."""
    return (_encoder.encode(line) + "\n").encode("utf-8", "replace")


class StepLines:
    """Encodes steps; for those of floats alone, whose names come again and again, in one go."""

    #: Sets of names that are remembered.
    LIMIT = 64

    def __init__(self) -> None:
        self._templates: dict[tuple[Any, ...], str] = {}

    def encoded(self, step: int, at: float, metrics: Mapping[Any, Any]) -> bytes | None:
        """The line of a step; None where a value is no finite float."""
        values = tuple(metrics.values())
        if not values or set(map(type, values)) != {float} or not isfinite(sum(values)):
            return None
        names = tuple(metrics)
        template = self._templates.get(names)
        if template is None:
            template = self._template(names)
        return (template % (step, at, *values)).encode("utf-8", "replace")

    def _template(self, names: tuple[Any, ...]) -> str:
        quoted = (_encoder.encode(str(name)).replace("%", "%%") for name in names)
        metrics = ",".join(f"{name}:%r" for name in quoted)
        template = '{"step":%d,"time":%.3f,"metrics":{' + metrics + "}}\n"
        if len(self._templates) >= self.LIMIT:
            self._templates.clear()
        self._templates[names] = template
        return template


def flattened(
    metrics: Mapping[Any, Any], into: dict[str, Any], left_out: dict[str, str], prefix: str = ""
) -> dict[str, Any]:
    """Nested metrics joined by ``/``, deferred ones read; no numbers go to ``left_out``."""
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
