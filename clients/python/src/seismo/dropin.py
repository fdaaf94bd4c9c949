"""What the stand-ins for other trackers share: accepted, logged where it has a place, else told."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Callable

from .run import Run, current_run, init
from .values import Dropped
from .values import freeze as frozen

__all__ = [
    "LeftOut",
    "Settings",
    "Steps",
    "begun",
    "dropped_class",
    "dropped_function",
    "frozen",
]

_told: set[str] = set()


def tell_once(text: str) -> None:
    """One line on standard error, each once."""
    if text not in _told:
        _told.add(text)
        if sys.stderr is not None:
            sys.stderr.write(f"seismo: {text}\n")


def dropped_class(name: str) -> type:
    """A class that takes any arguments; its objects are left out where they are logged."""

    def accept(self: Any, *_: Any, **__: Any) -> None:
        pass

    def ignore(self: Any, attribute: str) -> Callable[..., None]:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return lambda *_, **__: None

    return type(
        name, (Dropped,), {"__init__": accept, "__getattr__": ignore, "__module__": __name__}
    )


class LeftOut:
    """A function of another tracker's, or a module of them: takes anything and says so once."""

    def __init__(self, path: str, gives: Any = None) -> None:
        self._path = path
        self._gives = gives

    def __call__(self, *_: Any, **__: Any) -> Any:
        tell_once(f"{self._path} has no place here: left out")
        return self._gives

    def __getattr__(self, name: str) -> Any:
        """What a module of functions makes, as charts are, is logged, and left out there."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name[:1].isupper():
            return dropped_class(name)
        return LeftOut(f"{self._path}.{name}", Dropped())


def dropped_function(module: str, name: str) -> LeftOut:
    """A function that takes anything, does nothing and says so once."""
    return LeftOut(f"{module}.{name}")


class Settings(dict[str, Any]):
    """A dictionary whose items are attributes too; changes are told to ``changed``."""

    def __init__(self, changed: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__()
        object.__setattr__(self, "_changed", changed)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._changed({name: value})

    def update(self, *others: Any, **members: Any) -> None:
        """Also takes what ``argparse`` returns, and W&B's ``allow_val_change``."""
        members.pop("allow_val_change", None)
        for other in (*others, members):
            new = other if isinstance(other, Mapping) else vars(other)
            super().update(new)
            if new:
                self._changed(new)

    def as_dict(self) -> dict[str, Any]:
        return dict(self)

    def setdefaults(self, defaults: Mapping[str, Any]) -> None:
        self.update({key: value for key, value in defaults.items() if key not in self})


def begun(
    name: str | None,
    is_off: bool = False,
    folder: str | os.PathLike[str] | None = None,
    **what: Any,
) -> Run:
    """A run for a stand-in, off where its own switch says so."""
    if is_off:
        return Run(name or "run", is_off=True)
    return init(name, dir=folder or "runs", **what)


def running_or_begun(name: str, folder: str | os.PathLike[str] | None = None) -> tuple[Run, bool]:
    """The run that the script has begun, or one of its own; and whether it is its own."""
    run = current_run()
    if run is not None:
        return run, False
    return init(name, dir=folder or "runs"), True


class Steps:
    """Steps as W&B counts them: on after each ``log``, but where it is told otherwise."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.next = run.step

    def log(self, metrics: Mapping[str, Any], step: int | None, commit: bool | None) -> None:
        """Logs, and lets the run be paused and steered between two steps."""
        if step is not None and step != self.next:
            self._run.poll()
            self.next = int(step)
        self._run.log(metrics, step=self.next)
        if commit or (commit is None and step is None):
            self.next += 1
            self._run.poll()
