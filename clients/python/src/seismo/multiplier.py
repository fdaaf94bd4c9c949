"""A factor on the learning rate that no scheduler overwrites."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

from .settings import Setting

NAME = "lr.multiplier"
_HELP = "scales the scheduled learning rate: halve it when the loss spikes"


def multiplier(*optimizers: Any, low: float = 0.0, high: float = 1000.0) -> Setting:
    """Declares ``lr.multiplier``, whatever its keyword in ``run.controls``: ``{`` halves it.

    The rate in ``param_groups`` stays the schedule's: it is multiplied just before ``step`` and put
    back just after, so it makes no difference whether a scheduler computes it from the first rate,
    from the last one, or the loop sets it by hand. At 1 nothing is touched.

    Args:
        optimizers: PyTorch optimizers, or anything with ``param_groups`` and ``step``; wrappers
            that hold theirs as ``.optimizer`` are unwrapped. Without one it is a number that the
            loop reads itself: ``rate = schedule(step) * factor.value``.
    """
    factor = [1.0]
    for optimizer in optimizers:
        inner = _innermost(optimizer)
        _Scaled(inner, factor).attach(inner)

    def put(value: float) -> None:
        factor[0] = float(value)

    return Setting(
        NAME, lambda: factor[0], put, "number", float(low), float(high), help=_HELP, usual=1.0
    )


def _innermost(optimizer: Any) -> Any:
    while hasattr(getattr(optimizer, "optimizer", None), "param_groups"):
        optimizer = optimizer.optimizer
    if not hasattr(optimizer, "param_groups") or not hasattr(optimizer, "step"):
        raise TypeError(
            f"multiplier({type(optimizer).__name__}): give an optimizer with param_groups and step"
        )
    return optimizer


class _Scaled:
    """Holds the scheduled rates of one optimizer while its step runs with the scaled ones."""

    def __init__(self, optimizer: Any, factor: list[float]) -> None:
        # Weakly: what knows of it by its optimizer would else keep that, and its model, for ever.
        self._optimizer = weakref.ref(optimizer)
        self.factor = factor
        self.scheduled: list[tuple[dict[str, Any], Any, Any]] = []
        self.handles: list[Any] = []

    def attach(self, optimizer: Any) -> None:
        """Takes the place of the factor that a cell run before may have left on the optimizer."""
        before = _attached.pop(optimizer, None)
        if before is not None:
            before.detach()
        _attached[optimizer] = self
        if hasattr(optimizer, "register_step_pre_hook"):
            self.handles = [
                optimizer.register_step_pre_hook(lambda *_: self.scale()),
                optimizer.register_step_post_hook(lambda *_: self.restore()),
            ]
            return
        step = optimizer.step

        def scaled_step(*args: Any, **kwargs: Any) -> Any:
            self.scale()
            try:
                return step(*args, **kwargs)
            finally:
                self.restore()

        optimizer.step = scaled_step

    def detach(self) -> None:
        self.restore()
        self.factor = [1.0]
        for handle in self.handles:
            handle.remove()

    def scale(self) -> None:
        # A step that raised has left its rates scaled.
        self.restore()
        factor = self.factor[0]
        if factor == 1.0:
            return
        for group in self._groups():
            rate = group["lr"]
            if hasattr(rate, "mul_"):
                # A rate that is a tensor may be captured in a graph: its place must not change.
                before = rate.clone()
                rate.mul_(factor)
                self.scheduled.append((group, before, None))
            else:
                group["lr"] = rate * factor
                self.scheduled.append((group, rate, group["lr"]))

    def restore(self) -> None:
        for group, before, scaled in self.scheduled:
            if scaled is None:
                group["lr"].copy_(before)
            elif group["lr"] == scaled:
                group["lr"] = before
        self.scheduled.clear()

    def _groups(self) -> Iterable[dict[str, Any]]:
        groups = getattr(self._optimizer(), "param_groups", ())
        return (group for group in groups if "lr" in group)


_attached: weakref.WeakKeyDictionary[Any, _Scaled] = weakref.WeakKeyDictionary()
