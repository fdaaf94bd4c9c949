"""What a run lets people do: its settings and actions, and what is asked of them.

``take`` is called in the transport's thread; everything else in the loop's, between two steps.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from typing import Any

from .journal import Journal
from .multiplier import NAME as MULTIPLIER
from .requests import Request
from .settings import Action, Refused, Setting, Value, shown

#: What a run obeys without a declaration.
_WORDS = ("pause", "resume", "step", "note", "set", "undo")
_USAGE = {
    "checkpoint": "declare it: run.controls(checkpoint=save)",
    "evaluate": "declare it: run.controls(evaluate=evaluate)",
    "stop": "this loop does not heed it: loop over run.steps(N), break on run.stopping, or "
    "declare it: run.controls(stop=function)",
}
#: Commands whose marks are remembered.
_MARKS = 256


class Hands:
    """Takes requests, applies them when it is told to, and answers each once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.settings: dict[str, Setting] = {}
        self.actions: dict[str, Action] = {}
        self.inbox: deque[Request] = deque()
        self.is_asked = threading.Event()
        self.is_paused = False
        self.is_stopping = False
        #: Whether the factor on the rate was ever changed.
        self.is_scaled = False
        #: Steps until the run holds again; 0 where none are counted.
        self.steps_left = 0
        self._heeds_stop = False
        self._undo: list[tuple[str, Value]] = []
        #: By its mark, who waits for an answer, or the answer.
        self._marks: dict[str, list[Request] | dict[str, Any]] = {}

    def declare(self, *what: Setting | Action) -> None:
        for form in what:
            if isinstance(form, Setting):
                self.settings[form.name] = form
            else:
                self.actions[form.name] = form
        self.tell_settings()

    def ask(self, request: Request) -> None:
        """Puts a request in the row; it is applied at the next poll."""
        self.inbox.append(request)
        self.is_asked.set()

    def wait(self, seconds: float) -> None:
        """Waits until something is asked, but not longer."""
        self.is_asked.wait(seconds)
        self.is_asked.clear()

    def tell_settings(self) -> None:
        """Tells all that is declared, with the values in force."""
        line: dict[str, Any] = {"settings": []}
        for setting in list(self.settings.values()):
            try:
                line["settings"].append(setting.declaration())
            except Exception as error:
                self._journal.trouble(setting.name, error)
        line["commands"] = sorted({*_WORDS, *self.actions, *(["stop"] if self._heeds_stop else [])})
        self._journal.tell(line)

    def heed_stop(self) -> None:
        """From now on ``stop`` is offered: the loop ends where it is asked to."""
        if not self._heeds_stop:
            self._heeds_stop = True
            self.tell_settings()

    def taken(self) -> list[Request]:
        """What was asked since the last time."""
        taken = []
        while self.inbox:
            taken.append(self.inbox.popleft())
        return taken

    def count_step(self) -> None:
        """A step is done: after the last of those that ``step N`` gave, the run holds."""
        if self.steps_left:
            self.steps_left -= 1
            if self.steps_left == 0:
                self._pause(True)

    def take(self, request: Request) -> None:
        """Takes a request in the transport's thread; what is no command is refused at once."""
        if request.once is not None and self._is_repeated(request):
            return
        flaw = self._flaw(request.words)
        if flaw is not None:
            self.refuse(request, flaw, records=False)
            return
        self.ask(request)

    def _is_repeated(self, request: Request) -> bool:
        """Whether it was asked before a connection broke: then the first answer serves."""
        mark = request.once or ""
        known = self._marks.get(mark)
        if known is None:
            if len(self._marks) >= _MARKS:
                del self._marks[next(iter(self._marks))]
            self._marks[mark] = [request]
            return False
        if isinstance(known, list):
            known.append(request)
        else:
            self._journal.answer(request, {**known, "id": request.id})
        return True

    def _flaw(self, words: str) -> str | None:
        """Why ``words`` are no command of this run; None where they are one."""
        head, _, rest = words.partition(" ")
        if head in self.actions or head in ("pause", "resume", "undo"):
            return None
        if head == "note":
            return None if rest.strip() else "'note' is not complete: write 'note TEXT'"
        if head == "step":
            fits = not rest.strip() or (rest.strip().isdecimal() and int(rest) > 0)
            return None if fits else f"'step {rest}' is not complete: write 'step [N]'"
        if head == "stop" and self._heeds_stop:
            return None
        if head == "set":
            try:
                self._setting_of(rest)
            except Refused as refused:
                return str(refused)
            return None
        if head in _USAGE:
            return f"no {head}: {_USAGE[head]}"
        known = ", ".join(sorted({*_WORDS, *self.actions}))
        return f"this trainer has no command '{head}': it obeys {known}"

    def _setting_of(self, rest: str) -> tuple[Setting, Value]:
        words = rest.split(None, 1)
        if len(words) != 2:
            raise Refused(f"'set {rest}' is not complete: write 'set NAME VALUE'")
        setting = self.settings.get(words[0])
        if setting is None:
            known = ", ".join(self.settings) or "none"
            raise Refused(f"no setting '{words[0]}': this trainer declares {known}")
        return setting, setting.read(words[1].strip())

    def apply_all(self, requests: Sequence[Request]) -> None:
        """Applies in their order; what raises is refused with its words."""
        for request in requests:
            try:
                self._apply(request)
            except Refused as refused:
                self.refuse(request, str(refused))
            except Exception as error:
                self._journal.warn(traceback.format_exc())
                self.refuse(request, f"{type(error).__name__}: {error}")

    def _apply(self, request: Request) -> None:
        flaw = self._flaw(request.words)
        if flaw is not None:
            raise Refused(flaw)
        head, _, rest = request.words.partition(" ")
        rest = rest.strip()
        if head in self.actions:
            self._act(request, self.actions[head], rest)
        elif head == "set":
            self._set(request, *self._setting_of(rest))
        elif head == "undo":
            self._undo_last(request)
        elif head == "note":
            self._write_note(request, rest)
        elif head == "step":
            self.steps_left = int(rest or 1)
            self._pause(False)
            self._done(request, "step", f"step {self.steps_left}")
        elif head == "stop":
            self.is_stopping = True
            self._done(request, "stop", "stop")
        else:
            self.steps_left = 0
            self._pause(head == "pause")
            self._done(request, head, head)

    def _set(self, request: Request, setting: Setting, value: Value) -> None:
        before = setting.value
        setting.put(value)
        after = setting.value
        self._undo.append((setting.name, before))
        self._tell_set(request, setting, before, after)

    def _undo_last(self, request: Request) -> None:
        if not self._undo:
            raise Refused("nothing to undo: no setting was changed")
        name, value = self._undo.pop()
        setting = self.settings[name]
        before = setting.value
        setting.put(value)
        self._tell_set(request, setting, before, setting.value)

    def _tell_set(self, request: Request, setting: Setting, before: Value, after: Value) -> None:
        text = f"set {setting.name} {shown(before)} → {shown(after)}"
        if setting.name == MULTIPLIER:
            self.is_scaled = True
        members: dict[str, Any] = {"name": setting.name, "before": before, "after": after}
        if setting.blend_steps:
            text += f", blended over {setting.blend_steps} steps"
            members["values"] = {"blend_steps": setting.blend_steps}
        self._journal.event("set", text, by=request.by, **members)
        self.tell_settings()
        self._reply(request, request.answer(True, text, self._journal.next_step, before, after))

    def _act(self, request: Request, action: Action, rest: str) -> None:
        started = time.perf_counter()
        told = action.run(rest)
        seconds = time.perf_counter() - started
        text = f"{action.name}: {told}" if told else f"{action.name}, {seconds:.1f} s"
        kind = action.name if action.name in ("checkpoint", "evaluate", "stop") else "note"
        self._done(request, kind, text)

    def _write_note(self, request: Request, rest: str) -> None:
        head, _, text = rest.partition(" ")
        at = head[1:] if head.startswith("@") else ""
        if at.isdecimal() and text.strip():
            self._journal.event("note", text.strip(), step=int(at), by=request.by)
            self._reply(request, request.answer(True, "note", self._journal.next_step))
        else:
            self._done(request, "note", rest)

    def _pause(self, holds: bool) -> None:
        if holds == self.is_paused:
            return
        self.is_paused = holds
        self._journal.state("paused" if holds else "running")

    def _done(self, request: Request, kind: str, text: str) -> None:
        self._journal.event(kind, text, by=request.by)
        self._reply(request, request.answer(True, text, self._journal.next_step))

    def refuse(self, request: Request, reason: str, records: bool = True) -> None:
        """Answers why not, and tells it as an event where the run had come to it."""
        if records:
            self._journal.event(
                "refused", f"{request.words} refused: {reason}", by=request.by, name=request.words
            )
        self._reply(request, request.answer(False, reason, self._journal.next_step))

    def _reply(self, request: Request, line: dict[str, Any]) -> None:
        asking = [request]
        if request.once is not None:
            known = self._marks.get(request.once)
            asking = known if isinstance(known, list) else asking
            self._marks[request.once] = line
        for one in asking:
            self._journal.answer(one, line if one is request else {**line, "id": one.id})
