"""Hugging Face's Trainer: ``Trainer(..., callbacks=[SeismoCallback()])``.

What the Trainer logs is recorded under Seismo's names; ``checkpoint``, ``evaluate``, ``stop``, the
rate, pause and notes work from the screen, on every rank at the same step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

import seismo

from .multiplier import multiplier
from .run import Run, init
from .settings import Action

#: The Trainer's names for what Seismo has names for.
NAMES = {"learning_rate": "lr", "eval_loss": "loss/eval"}


class SeismoCallback(TrainerCallback):  # type: ignore[misc]
    """Begins a run with the training and ends it with it.

    Args:
        name: by default the output folder's.
        run: one that the script has begun itself, with controls of its own.
        every: probes on one step in so many, as ``seismo.watch`` has them; 0 for none.
        mitigations: whether to declare those of ``seismo.mitigations``.
        options: what else ``seismo.init`` takes.
    """

    def __init__(
        self,
        name: str | None = None,
        run: Run | None = None,
        every: int = 0,
        mitigations: bool = False,
        **options: Any,
    ) -> None:
        self.run = run
        self._every = every
        self._mitigates = mitigations
        self._is_own = run is None
        self._name = name
        self._options = options

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        if self.run is None or (self._is_own and not self.run.writes):
            name = self._name or os.path.basename(os.path.normpath(args.output_dir or "run"))
            self.run = init(name, **self._options)
        config = args.to_sanitized_dict()
        model = getattr(given.get("model"), "config", None)
        if model is not None:
            config["model"] = model.to_dict()
        self.run.describe(config=config, total_steps=state.max_steps)
        if given.get("optimizer") is not None:
            self.run.declare(multiplier(given["optimizer"]))
        self._hang_in(given.get("model"), given.get("optimizer"))
        self.run.declare(
            Action("checkpoint", lambda: _asked(control, "should_save", "saves")),
            Action("evaluate", lambda: _asked(control, "should_evaluate", "evaluates")),
            Action("stop", lambda: _asked(control, "should_training_stop", "stops")),
        )

    def _hang_in(self, model: Any, optimizer: Any) -> None:
        if model is None or optimizer is None:
            return
        if self._every:
            seismo.watch(model, optimizer, every=self._every, run=self.run)
        if self._mitigates:
            seismo.mitigations(model, optimizer, run=self.run)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
        if self.run is not None:
            self.run.poll()
        return control

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> None:
        if self.run is not None and logs:
            metrics = {NAMES.get(name, name): value for name, value in logs.items()}
            self.run.log(metrics, step=state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.run is not None:
            folder = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
            self.run.checkpoint(folder, step=state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.run is not None and self._is_own:
            is_short = state.global_step < state.max_steps
            self.run.finish(f"stopped at step {state.global_step}" if is_short else None)


def _asked(control: Any, flag: str, what: str) -> str:
    setattr(control, flag, True)
    return f"{what} at the end of this step"
