"""Stands in for TensorBoard's writer: ``from seismo.tensorboard import SummaryWriter``.

Scalars, texts and hyper-parameters are kept; what is no number is accepted and left out, with one
line each kind. Scalars of one step go into one line, written when the next step begins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from . import dropin


class SummaryWriter:
    """Logs to the run that the script has begun, or begins one in ``log_dir``."""

    _open = 0

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        if log_dir is None:
            log_dir = os.path.join("runs", time.strftime("%b%d_%H-%M-%S") + comment)
        self.log_dir = os.fspath(log_dir)
        name = os.path.basename(os.path.normpath(self.log_dir))
        self.run, self._is_own = dropin.running_or_begun(name, self.log_dir)
        # A second writer of a script, as for validation, shares the run under its folder's name.
        self._prefix = f"{name}/" if SummaryWriter._open else ""
        SummaryWriter._open += 1
        self._is_open = True
        self._step: int | None = None
        self._held: dict[str, Any] = {}

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """Keeps a scalar; without a step it counts on by itself."""
        self._hold({self._prefix + tag: scalar_value}, global_step)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Keeps several as ``main_tag/name``."""
        values = {f"{self._prefix}{main_tag}/{tag}": v for tag, v in tag_scalar_dict.items()}
        self._hold(values, global_step)

    def _hold(self, values: Mapping[str, Any], step: Any) -> None:
        try:
            step = None if step is None else int(step)
            if step is None or step != self._step or any(name in self._held for name in values):
                self._write()
            if step is not None and step != self._step:
                self.run.poll()
            self._step = step
            for name, value in values.items():
                self._held[name] = dropin.frozen(value)
        except Exception as error:
            dropin.tell_once(f"add_scalar: {error}")

    def _write(self) -> None:
        held, self._held = self._held, {}
        if held:
            self.run.log(held, step=self._step)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        self.run.note(f"{self._prefix}{tag}: {text_string}", step=global_step)

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        hparam_domain_discrete: Any = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        self.run.describe(config=dict(hparam_dict))
        if metric_dict:
            self._hold(metric_dict, self._step if global_step is None else global_step)

    def get_logdir(self) -> str:
        return self.log_dir

    def flush(self) -> None:
        self._write()

    def close(self) -> None:
        """Ends the run if the writer began it."""
        if not self._is_open:
            return
        self._is_open = False
        SummaryWriter._open -= 1
        self._write()
        if self._is_own:
            self.run.finish()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write()
        if self._is_own:
            self.run.__exit__(kind, error, trace)
        self.close()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("add_"):
            raise AttributeError(name)
        return dropin.dropped_function("SummaryWriter", name)
