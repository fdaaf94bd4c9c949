"""Lightning: ``Trainer(logger=SeismoLogger(), callbacks=[SeismoCallback()])``.

The logger records what modules log; the callback gives hands: ``checkpoint``, ``stop``, the rate,
pause and notes, on every rank at the same step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

try:
    from lightning.pytorch.callbacks import Callback
    from lightning.pytorch.loggers import Logger
except ImportError:
    from pytorch_lightning.callbacks import Callback
    from pytorch_lightning.loggers import Logger

from .multiplier import multiplier
from .run import Run, current_run, init
from .settings import Action


class SeismoLogger(Logger):  # type: ignore[misc]
    """Begins a run at the first use and ends it with the training.

    Args:
        name: of the run.
        dir: where its file lies.
        options: what else ``seismo.init`` takes.
    """

    def __init__(self, name: str = "lightning", dir: str = "runs", **options: Any) -> None:
        super().__init__()
        self._name = name
        self._dir = dir
        self._options = options
        self._run: Run | None = None

    @property
    def experiment(self) -> Run:
        if self._run is None:
            self._run = init(self._name, dir=self._dir, **self._options)
        return self._run

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str:
        return os.path.splitext(os.path.basename(self.experiment.path or self._name))[0]

    @property
    def save_dir(self) -> str:
        return self._dir

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        self.experiment.log(metrics, step=step)

    def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
        self.experiment.describe(config=params if isinstance(params, Mapping) else vars(params))

    def after_save_checkpoint(self, checkpoint_callback: Any) -> None:
        path = getattr(checkpoint_callback, "_last_checkpoint_saved", "")
        if path:
            self.experiment.checkpoint(path)

    def finalize(self, status: str) -> None:
        if self._run is not None:
            self._run.finish(None if status in ("success", "finished") else status)


class SeismoCallback(Callback):  # type: ignore[misc]
    """Hands for the run of the logger, or of ``seismo.init``.

    Args:
        logs_loss: whether each batch's loss is recorded as ``loss``, whatever the module logs.
    """

    def __init__(self, logs_loss: bool = True) -> None:
        self._logs_loss = logs_loss
        self._run: Run | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        loggers = [one for one in trainer.loggers if isinstance(one, SeismoLogger)]
        self._run = loggers[0].experiment if loggers else current_run()
        if self._run is None:
            return
        steps = trainer.estimated_stepping_batches
        self._run.describe(total_steps=int(steps) if 0 <= steps < float("inf") else None)
        if trainer.optimizers:
            self._run.declare(multiplier(*trainer.optimizers))
        self._run.declare(
            Action("checkpoint", lambda: self._save(trainer)),
            Action("stop", lambda: setattr(trainer, "should_stop", True)),
        )

    def _save(self, trainer: Any) -> str:
        path = os.path.join(trainer.default_root_dir, f"step-{trainer.global_step:09d}.ckpt")
        trainer.save_checkpoint(path)
        return path

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._run is None:
            return
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if self._logs_loss and loss is not None:
            self._run.log({"loss": loss}, step=trainer.global_step)
        self._run.poll()
