"""Stands in for W&B: ``import seismo.wandb as wandb``.

Scalars, configuration, summary, alerts and the end are kept, and the run can be paused and
annotated from the screen. Images, tables, artifacts and all else that a terminal has no place for
are accepted and left out, with one line each.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from . import dropin
from . import run as _seismo

Settings = dropin.dropped_class("Settings")
Image = dropin.dropped_class("Image")
Table = dropin.dropped_class("Table")
Histogram = dropin.dropped_class("Histogram")
Artifact = dropin.dropped_class("Artifact")


class util:  # noqa: N801, as W&B names it
    """What scripts take from W&B's module of that name."""

    @staticmethod
    def generate_id(length: int = 8) -> str:
        return secrets.token_hex(length)[:length]


class AlertLevel:
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Run:
    """What ``wandb.init`` returns; ``seismo`` is the run behind it."""

    def __init__(self, run: _seismo.Run, project: str | None, config: Any) -> None:
        self.seismo = run
        self.name = run.name
        self.project = project or run.name
        self.id = os.path.splitext(os.path.basename(run.path or run.name))[0]
        self.dir = os.path.dirname(run.path or "") or "."
        self.url: str | None = None
        self.config = dropin.Settings(lambda new: run.describe(config=new))
        self.summary = dropin.Settings(lambda new: None)
        self._steps = dropin.Steps(run)
        self._axes: dict[str, str] = {}
        if config is not None:
            self.config.update(config)

    @property
    def step(self) -> int:
        return self._steps.next

    def log(
        self,
        data: Mapping[str, Any],
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,
    ) -> None:
        """Logs at ``step``, or at the present one, which then counts on unless ``commit=False``."""
        try:
            self._steps.log(data, step, commit)
        except Exception as error:
            dropin.tell_once(f"wandb.log: {error}")

    def define_metric(
        self, name: str, step_metric: Any = None, step_sync: Any = None, hidden: Any = None,
        summary: Any = None, overwrite: Any = None, goal: Any = None,
    ) -> None:  # fmt: skip
        """Keeps which metric is the axis of which."""
        if isinstance(step_metric, str):
            self._axes[name] = step_metric
            self.seismo.describe(axes=self._axes)

    def alert(
        self, title: str, text: str = "", level: Any = None, wait_duration: Any = None
    ) -> None:
        self.seismo.alert(title, text, level=str(level or "WARN").lower())

    def watch(
        self, models: Any, criterion: Any = None, log: Any = "gradients", log_freq: int = 1000,
        idx: Any = None, log_graph: bool = False,
    ) -> None:  # fmt: skip
        """Hangs Seismo's probes on the model: norms and attention logits, not histograms."""
        import seismo

        for model in models if isinstance(models, (list, tuple)) else [models]:
            try:
                seismo.watch(model, every=log_freq)
            except Exception as error:
                dropin.tell_once(f"wandb.watch: {error}")

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        global run
        if self.summary:
            words = ", ".join(f"{key} {value}" for key, value in self.summary.items())
            self.seismo.note(f"summary: {words}")
        self.seismo.finish(f"exit {exit_code}" if exit_code else None)
        if run is self:
            run = None

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
        return dropin.dropped_function("wandb.run", name)


run: Run | None = None


def init(
    project: str | None = None,
    name: str | None = None,
    config: Any = None,
    dir: str | os.PathLike[str] | None = None,
    group: str | None = None,
    job_type: str | None = None,
    tags: Any = None,
    notes: str | None = None,
    mode: str | None = None,
    resume: Any = None,
    id: str | None = None,
    **dropped: Any,
) -> Run:
    """Begins a run in ``DIR/runs``; ``mode="disabled"`` and ``WANDB_MODE=disabled`` turn it off."""
    global run
    is_off = (mode or os.environ.get("WANDB_MODE", "")) == "disabled"
    begun = dropin.begun(
        name or id or project,
        is_off,
        os.path.join(dir, "runs") if dir is not None else None,
        group=group,
        tags=[*(tags or ()), *([job_type] if job_type else [])],
        resume=True if resume in (True, "allow", "must", "auto") else None,
    )
    if notes:
        begun.describe(notes=notes)
    run = Run(begun, project, config)
    return run


def _running(word: str) -> Run:
    if run is None:
        raise RuntimeError(f"wandb.{word}: call wandb.init first")
    return run


def log(
    data: Mapping[str, Any],
    step: int | None = None,
    commit: bool | None = None,
    sync: bool | None = None,
) -> None:
    _running("log").log(data, step, commit)


def define_metric(name: str, *words: Any, **members: Any) -> None:
    _running("define_metric").define_metric(name, *words, **members)


def alert(title: str, text: str = "", level: Any = None, wait_duration: Any = None) -> None:
    _running("alert").alert(title, text, level, wait_duration)


def watch(models: Any, *words: Any, **members: Any) -> None:
    _running("watch").watch(models, *words, **members)


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    if run is not None:
        run.finish(exit_code)


def login(*_: Any, **__: Any) -> bool:
    """There is no account."""
    return True


def __getattr__(name: str) -> Any:
    if name in ("config", "summary"):
        return getattr(_running(name), name)
    if name.startswith("__") or name == "Api":
        raise AttributeError(f"seismo.wandb has no '{name}'")
    return (
        dropin.dropped_class(name) if name[0].isupper() else dropin.dropped_function("wandb", name)
    )
