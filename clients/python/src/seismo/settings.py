"""What a person may change or ask for while the run goes on.

A setting has a name, a kind, a range and two functions; an action is a function. Scripts declare
them with ``run.controls``; libraries that bring their own, with ``run.declare``.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, Union

Value = Union[bool, float, str]
Getter = Callable[[], Any]
Setter = Callable[[Any], Any]


class Refused(Exception):
    """Why something is not done, in words for the one who asked."""


@dataclass(frozen=True)
class Setting:
    """A number, a flag or a choice of the running program.

    ``get`` and ``set`` are called from ``poll``, that is in the loop's own thread, between steps.
    """

    name: str
    get: Getter
    set: Setter
    kind: str = "number"
    low: float = 0.0
    high: float = 1e9
    choices: tuple[str, ...] = ()
    #: One line on what it is for.
    help: str = ""
    #: The value that ``set NAME on`` gives a number.
    usual: float | None = None
    #: Steps over which a change is blended in.
    blend_steps: int = 0

    @property
    def value(self) -> Value:
        """The value in force, as a plain flag, number or text."""
        value = self.get()
        if self.kind == "flag":
            return bool(value)
        return str(value) if self.kind == "choice" else float(value)

    @property
    def allowed(self) -> str:
        """What may be typed."""
        if self.kind == "flag":
            return "on or off"
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        return f"a number from {shown(self.low)} to {shown(self.high)}"

    def read(self, words: str) -> Value:
        """The value that ``words`` name.

        Raises:
            Refused: if it may not take it.
        """
        value = self._value(words)
        if value is None:
            raise Refused(f"'{words}' is no value for {self.name}: give {self.allowed}")
        return value

    def _value(self, words: str) -> Value | None:
        word = words.lower()
        if self.kind == "choice":
            return next((choice for choice in self.choices if choice.lower() == word), None)
        if self.kind == "flag":
            return {
                "on": True,
                "true": True,
                "1": True,
                "off": False,
                "false": False,
                "0": False,
            }.get(word)
        if word in ("on", "true"):
            return self.usual
        try:
            number = 0.0 if word in ("off", "false") else float(word)
        except ValueError:
            return None
        return number if self.low <= number <= self.high else None

    def put(self, value: Value) -> None:
        """Sets it; where the program holds a whole number and gets one, it stays whole."""
        if self.kind == "number" and isinstance(value, float) and value.is_integer():
            present = self.get()
            if isinstance(present, int) and not isinstance(present, bool):
                self.set(int(value))
                return
        self.set(value)

    def declaration(self) -> dict[str, object]:
        """Its member of a ``settings`` line."""
        line: dict[str, object] = {"name": self.name, "kind": self.kind}
        if self.kind == "number":
            line.update(min=self.low, max=self.high)
        if self.kind == "choice":
            line["choices"] = list(self.choices)
        line["value"] = self.value
        if self.help:
            line["help"] = self.help
        return line


@dataclass(frozen=True)
class Action:
    """A function that a person may call: ``checkpoint``, ``evaluate`` or a name of your own."""

    name: str
    call: Callable[..., Any]

    @property
    def takes_text(self) -> bool:
        """Whether it has a place for the words after the command."""
        try:
            parameters = inspect.signature(self.call).parameters.values()
        except (TypeError, ValueError):
            return False
        return any(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)

    def run(self, words: str) -> str:
        """Calls it; returns what it answered, as one line."""
        if words and not self.takes_text:
            raise Refused(f"'{self.name} {words}' is too long: write '{self.name}'")
        result = self.call(words) if words else self.call()
        return "" if result is None else str(result).splitlines()[0] if str(result) else ""


@dataclass(frozen=True)
class Unnamed:
    """A setting that gets the name it is declared under."""

    get: Getter
    set: Setter
    kind: str
    low: float = 0.0
    high: float = 1e9
    choices: tuple[str, ...] = ()
    help: str = ""

    def named(self, name: str) -> Setting:
        return Setting(
            name, self.get, self.set, self.kind, self.low, self.high, self.choices, self.help
        )


Declared = Union[Setting, Action, Unnamed]


def number(get: Getter, set: Setter, low: float, high: float, help: str = "") -> Unnamed:
    """A number between two bounds: ``run.controls(dropout=seismo.number(get, set, 0, 1))``."""
    return Unnamed(get, set, "number", float(low), float(high), help=help)


def flag(get: Getter, set: Setter, help: str = "") -> Unnamed:
    """Something that is on or off."""
    return Unnamed(get, set, "flag", help=help)


def choice(get: Getter, set: Setter, choices: Sequence[str], help: str = "") -> Unnamed:
    """One of several words."""
    return Unnamed(get, set, "choice", choices=tuple(map(str, choices)), help=help)


def attribute(
    owner: object,
    name: str,
    low: float = 0.0,
    high: float = 1e9,
    choices: Sequence[str] | None = None,
    help: str = "",
) -> Unnamed:
    """The attribute (of a mapping: the item) ``name`` of ``owner``.

    It is a choice where ``choices`` are given, a flag where it is now True or False, else a number
    from ``low`` to ``high``.
    """

    def get() -> Any:
        return owner[name] if isinstance(owner, dict) else getattr(owner, name)

    def put(value: Any) -> None:
        if isinstance(owner, dict):
            owner[name] = value
        else:
            setattr(owner, name, value)

    if choices is not None:
        return choice(get, put, choices, help)
    if isinstance(get(), bool):
        return flag(get, put, help)
    return number(get, put, low, high, help)


def declared(name: str, what: object) -> Setting | Action:
    """What ``run.controls(NAME=what)`` declares.

    Raises:
        TypeError: if ``what`` is none of the forms.
    """
    if isinstance(what, (Setting, Action)):
        return what
    if isinstance(what, Unnamed):
        return what.named(name)
    if isinstance(what, tuple) and len(what) == 4 and callable(what[0]) and callable(what[1]):
        return number(*what).named(name)
    if isinstance(what, tuple) and len(what) == 2 and callable(what[0]) and callable(what[1]):
        return flag(*what).named(name)
    if callable(what):
        return Action(name, what)
    raise TypeError(
        f"controls({name}=…): give (get, set, low, high), seismo.flag(get, set), "
        "seismo.choice(get, set, words), seismo.attribute(owner, name), "
        "seismo.multiplier(optimizer) or a function"
    )


def shown(value: object) -> str:
    """A setting's value as a person reads it, and as it reads back."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
