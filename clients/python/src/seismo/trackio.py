"""Stands in for Trackio: ``import seismo.trackio as trackio``.

Scalars, configuration, alerts and the end are kept; media, tables and everything that goes to a
server are accepted and left out, with one line each.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from . import dropin
from . import run as _seismo

Image = dropin.dropped_class("Image")
Video = dropin.dropped_class("Video")
Audio = dropin.dropped_class("Audio")
Table = dropin.dropped_class("Table")
Histogram = dropin.dropped_class("Histogram")
Markdown = dropin.dropped_class("Markdown")


class AlertLevel:
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Run:
    """What ``trackio.init`` returns; ``seismo`` is the run behind it."""

    def __init__(self, run: _seismo.Run, project: str, config: Any) -> None:
        self.seismo = run
        self.name = run.name
        self.project = project
        self.config = dropin.Settings(lambda new: run.describe(config=new))
        self._steps = dropin.Steps(run)
        if config is not None:
            self.config.update(config)

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        try:
            self._steps.log(metrics, step, None)
        except Exception as error:
            dropin.tell_once(f"trackio.log: {error}")

    def log_system(self, metrics: Mapping[str, Any]) -> None:
        """They belong to the step of the next ``log``."""
        self.seismo.add({f"system/{key}": value for key, value in metrics.items()})

    def alert(self, title: str, text: str | None = None, level: Any = "warn", **_: Any) -> None:
        self.seismo.alert(title, text or "", level=str(getattr(level, "value", level)))

    def finish(self) -> None:
        global _run
        self.seismo.finish()
        if _run is self:
            _run = None

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.seismo.__exit__(kind, error, trace)
        self.finish()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return dropin.dropped_function("trackio.run", name)


_run: Run | None = None


def init(
    project: str,
    name: str | None = None,
    group: str | None = None,
    config: Any = None,
    resume: str = "never",
    **dropped: Any,
) -> Run:
    """Begins a run in ``runs``."""
    global _run
    begun = dropin.begun(
        name or project, group=group, resume=True if resume in ("allow", "must") else None
    )
    _run = Run(begun, project, config)
    return _run


def _running(word: str) -> Run:
    if _run is None:
        raise RuntimeError(f"trackio.{word}: call trackio.init first")
    return _run


def log(metrics: Mapping[str, Any], step: int | None = None) -> None:
    _running("log").log(metrics, step)


def log_system(metrics: Mapping[str, Any]) -> None:
    _running("log_system").log_system(metrics)


def alert(title: str, text: str | None = None, level: Any = "warn", **members: Any) -> None:
    _running("alert").alert(title, text, level, **members)


def finish() -> None:
    if _run is not None:
        _run.finish()


def __getattr__(name: str) -> Any:
    if name == "config":
        return _running(name).config
    if name.startswith("__") or name == "Api":
        raise AttributeError(f"seismo.trackio has no '{name}'")
    if name[0].isupper():
        return dropin.dropped_class(name)
    return dropin.dropped_function("trackio", name)
