"""Accelerate: ``Accelerator(log_with=SeismoTracker("name"))``.

``tracker.run`` takes controls; each ``accelerator.log`` lets the run be paused and steered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accelerate.tracking import GeneralTracker

from .run import Run, init


class SeismoTracker(GeneralTracker):  # type: ignore[misc]
    """Begins a run; options are those of ``seismo.init``."""

    name = "seismo"
    requires_logging_directory = False
    main_process_only = True

    def __init__(self, run_name: str = "accelerate", **options: Any) -> None:
        super().__init__()
        self.run: Run = init(run_name, **options)

    @property
    def tracker(self) -> Run:
        return self.run

    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        self.run.describe(config=values)

    def log(self, values: Mapping[str, Any], step: int | None = None, **_: Any) -> None:
        self.run.log(values, step=step)
        self.run.poll()

    def finish(self) -> None:
        self.run.finish()
