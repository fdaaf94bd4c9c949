"""A run: what the loop logs, and what it is asked."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import sys
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Callable, Optional

from . import ranks, runfile
from ._version import __version__
from .control import ControlServer
from .ending import Endings, ending_of
from .lines import PROTOCOL, jsonable
from .multiplier import NAME as MULTIPLIER
from .ranks import Agreement, BroadcastAgreement, StoreAgreement
from .recorder import Recorder
from .requests import Request
from .settings import Action, Refused, Setting, Value, declared, shown
from .transport import Transport
from .values import freeze, frozen_all, plain

_current: Run | None = None
_all: weakref.WeakSet[Run] = weakref.WeakSet()

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

Probe = Callable[[int], Optional[Mapping[str, Any]]]


def current_run() -> Run | None:
    """The run begun last and not finished yet."""
    return _current


def init(
    name: str | None = None,
    config: Any = None,
    dir: str | os.PathLike[str] = "runs",
    total_steps: int | None = None,
    tokens_per_step: int | None = None,
    group: str | None = None,
    tags: Sequence[str] = (),
    resume: bool | str | os.PathLike[str] | None = None,
    record: bool = False,
    broadcast: Callable[[Any], Any] | None = None,
) -> Run:
    """Begins a run and returns it; a run that is still open in this process ends first.

    It writes ``DIR/NAME-TIME.jsonl`` and serves a control socket, from one thread. With
    ``SEISMO=off`` in the environment, and on every rank but 0, nothing is written. Trouble with
    files is a warning, never an exception.

    Args:
        name: as a person knows it; by default the script's.
        config: a mapping or ``argparse`` result; what JSON does not know is kept as text.
        total_steps: steps planned, for the progress in the header.
        tokens_per_step: for an axis in tokens.
        resume: the file to go on with, or True for the newest one of that name.
        record: also keep a session, by a ``seismo ingest`` child, where ``seismo`` is on the PATH.
        broadcast: gives every rank the object of rank 0, for jobs of several processes that do not
            run on torch.distributed.
    """
    global _current
    if _current is not None:
        _current.finish("another run began")
    is_off = os.environ.get("SEISMO", "").lower() in ("off", "0", "false", "no")
    run = Run(name or _script_name(), is_off, broadcast)
    run._open(
        {
            "config": jsonable(config) if config is not None else None,
            "total_steps": total_steps,
            "tokens_per_step": tokens_per_step,
            "group": group,
            "tags": [str(tag) for tag in tags] or None,
        },
        os.fspath(dir),
        resume if isinstance(resume, bool) or resume is None else os.fspath(resume),
        record,
    )
    _current = run
    return run


def _script_name() -> str:
    stem = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]
    return stem if stem and not stem.startswith("-") else "run"


class Run:
    """What ``init`` returns. Methods never raise for trouble of their own, and never wait, but for
    ``poll`` while the run is paused."""

    def __init__(
        self, name: str, is_off: bool = False, broadcast: Callable[[Any], Any] | None = None
    ) -> None:
        self.name = name
        self.rank = ranks.rank()
        self._ranks = ranks.world_size()
        #: The file it writes; None where it writes none.
        self.path: str | None = None
        #: The control socket's path; None where it has none.
        self.control: str | None = None
        self._is_off = is_off
        self._transport: Transport | None = None
        self._endings: Endings | None = None
        self._broadcast = broadcast
        self._agreement: Agreement | None = None
        self._next_step = 0
        self._total_steps: int | None = None
        self._inbox: deque[Request] = deque()
        self._is_asked = threading.Event()
        self._marks: dict[str, Any] = {}
        self._settings: dict[str, Setting] = {}
        self._actions: dict[str, Action] = {}
        self._undo: list[tuple[str, Value]] = []
        self._is_paused = False
        self._steps_left = 0
        self._is_stopping = False
        self._heeds_stop = False
        self._is_over = False
        self._probes: list[Probe] = []
        self._enders: list[Callable[[], None]] = []
        self._pending: dict[str, Any] = {}
        self._warned: set[str] = set()
        self._description: dict[str, Any] = {}
        self._sent: dict[int, Request] = {}
        self._is_scaled = False

    # The loop's side

    @property
    def writes(self) -> bool:
        """Whether what is logged leads anywhere: not when off, over, or on another rank."""
        return self._transport is not None

    @property
    def step(self) -> int:
        """The step that comes next: one more than the last logged."""
        return self._next_step

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Records metrics of a step; 2 µs for ten floats.

        Nested mappings are joined by ``/``; texts become notes. Tensors on a device are cloned on
        their stream and read in the run's thread.

        Args:
            step: counted on from the last where it is left out; one that goes back is kept.
        """
        transport = self._transport
        if transport is None:
            if step is not None or self.rank:
                self._next_step = (self._next_step if step is None else int(step)) + 1
            return
        try:
            step = self._next_step if step is None else int(step)
            self._next_step = step + 1
            frozen = frozen_all(metrics)
            if self._pending or self._probes or self._is_scaled:
                self._add_probed(frozen, step)
            transport.put((step, time.time(), frozen))
        except Exception as error:
            self._trouble("log", error)

    def _add_probed(self, frozen: dict[str, Any], step: int) -> None:
        for probe in self._probes:
            try:
                for key, value in (probe(step) or {}).items():
                    frozen.setdefault(key, freeze(value))
            except Exception as error:
                self._trouble("a probe", error)
        pending, self._pending = self._pending, {}
        for key, value in pending.items():
            frozen.setdefault(key, value)
        multiplier = self._settings.get(MULTIPLIER)
        if multiplier is not None and self._is_scaled:
            frozen.setdefault("lr/multiplier", multiplier.value)

    def add(self, metrics: Mapping[str, Any]) -> None:
        """Keeps values for the next ``log``, whose step they belong to; for probes."""
        if self._transport is None:
            return
        for key, value in metrics.items():
            self._pending[key] = freeze(value)

    def before_log(self, probe: Probe) -> None:
        """Calls ``probe(step)`` in each ``log``; what it returns is logged with it."""
        self._probes.append(probe)

    def at_end(self, call: Callable[[], None]) -> None:
        """Calls it once the run is over, however it ends."""
        self._enders.append(call)

    def controls(self, **what: Any) -> None:
        """Declares what a person may change or ask for.

        Each is ``NAME=(get, set, low, high)``, ``seismo.flag``, ``seismo.choice``,
        ``seismo.attribute``, ``seismo.multiplier``, or a function: an action of that name.
        """
        self.declare(*(declared(name, form) for name, form in what.items()))

    def declare(self, *what: Setting | Action) -> None:
        """Declares settings and actions under their own names, which may have dots."""
        for form in what:
            if isinstance(form, Setting):
                self._settings[form.name] = form
            else:
                self._actions[form.name] = form
        self._tell_settings()

    def setting(self, name: str) -> Value:
        """The value in force of a declared setting.

        Raises:
            KeyError: if it is not declared.
        """
        return self._settings[name].value

    def _tell_settings(self) -> None:
        transport = self._transport
        if transport is None:
            return
        line: dict[str, Any] = {"settings": []}
        for setting in list(self._settings.values()):
            try:
                line["settings"].append(setting.declaration())
            except Exception as error:
                self._trouble(setting.name, error)
        line["commands"] = sorted(
            {*_WORDS, *self._actions, *(["stop"] if self._heeds_stop else [])}
        )
        transport.tell(line)

    def steps(self, total: int, start: int = 0) -> Iterator[int]:
        """The steps of a loop: polls before each but the first, ends where asked to stop."""
        self._heed_stop()
        for step in range(start, total):
            if step > start and not self.poll():
                return
            yield step

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop. Who reads it heeds it: ``stop`` is offered from then on."""
        self._heed_stop()
        return self._is_stopping

    def _heed_stop(self) -> None:
        if not self._heeds_stop:
            self._heeds_stop = True
            self._tell_settings()

    def poll(self) -> bool:
        """Applies what was asked, between two steps; waits while the run is paused.

        Returns:
            Whether the run goes on: False once it was asked to stop.

        Costs 0.1 µs where nothing was asked; with torch.distributed one round trip to its store.
        """
        try:
            if self._is_off or self._is_over:
                return not self._is_stopping
            if self._ranks > 1 or self._broadcast is not None:
                self._poll_together()
            elif self._inbox or self._is_paused or self._steps_left:
                self._poll_alone()
        except Exception as error:
            self._trouble("poll", error)
        return not self._is_stopping

    def _poll_alone(self) -> None:
        self._count_step()
        self._apply_all(self._taken())
        while self._is_paused and not self._is_stopping and not self._is_over:
            self._is_asked.wait(0.5)
            self._is_asked.clear()
            self._apply_all(self._taken())

    def _poll_together(self) -> None:
        agreement = self._agreement
        if agreement is None:
            if self._broadcast is not None:
                agreement = BroadcastAgreement(self._broadcast)
            else:
                agreement = StoreAgreement.found(self.rank)
            self._agreement = agreement
        if agreement is None:
            return self._refuse_together()
        self._count_step()
        self._exchange(agreement)
        while self._is_paused and not self._is_stopping and not self._is_over:
            if self.rank == 0:
                self._is_asked.wait(0.25)
                self._is_asked.clear()
            self._exchange(agreement)
        return None

    def _exchange(self, agreement: Agreement) -> None:
        asked = self._taken()
        for request in asked:
            self._sent[id(request)] = request
        lines = [{"words": r.words, "by": r.by, "serial": id(r)} for r in asked]
        for line in agreement.exchange(lines, self._is_paused):
            mine = self._sent.pop(line["serial"], None) if self.rank == 0 else None
            self._apply_all([mine or Request(line["words"], line["by"])])

    def _refuse_together(self) -> None:
        for request in self._taken():
            self._refuse(
                request,
                f"rank 0 cannot tell the other {self._ranks - 1} ranks: call poll once "
                "torch.distributed is initialised, or give init a broadcast function",
            )

    def _taken(self) -> list[Request]:
        taken = []
        while self._inbox:
            taken.append(self._inbox.popleft())
        return taken

    def _count_step(self) -> None:
        if self._steps_left:
            self._steps_left -= 1
            if self._steps_left == 0:
                self._pause(True)

    def request(self, words: str, by: str = "script") -> None:
        """Asks as a person would, from the script: applied at the next ``poll``, and recorded."""
        if self._is_off or self._is_over or self.rank:
            return
        self._inbox.append(Request(words, by=by))
        self._is_asked.set()

    def note(self, text: str, step: int | None = None) -> None:
        """Writes a note beside the present step, or another."""
        self._event("note", text, step=step, by="script")

    def alert(self, title: str, text: str = "", level: str = "warn") -> None:
        """Raises an alarm of the script's own, named ``title``."""
        self._event(
            "alarm", f"{title}: {text}" if text else title, by="script", name=title, level=level
        )

    def checkpoint(self, path: str | os.PathLike[str], step: int | None = None) -> None:
        """Says that a checkpoint was written to ``path``, by default of the step to come."""
        path = os.fspath(path)
        name = os.path.basename(os.path.normpath(path))
        step = self._next_step if step is None else step
        self._event("checkpoint", f"checkpoint {path}", step=step, by="script", name=name)

    def describe(self, config: Any = None, total_steps: int | None = None, **members: Any) -> None:
        """Adds to what the run line tells, once more is known; ``config`` is merged."""
        if total_steps is not None:
            self._total_steps = total_steps
            members["total_steps"] = total_steps
        if config is not None:
            known = self._description.get("config") or {}
            members["config"] = {**known, **jsonable(config)}
        self._description.update((key, jsonable(value)) for key, value in members.items())
        if self._transport is not None:
            self._transport.tell({"run": dict(self._description)})

    def finish(self, reason: str | None = None) -> None:
        """Ends the run: finished, or stopped for a reason. All that was logged is written then."""
        if reason is None and self._is_stopping:
            reason = "asked to stop"
        self._end("stopped" if reason else "finished", reason)

    # The watchers' side

    def _take(self, request: Request) -> None:
        """Takes a request in the transport's thread; what is no command is refused at once."""
        if request.once is not None and self._is_repeated(request):
            return
        flaw = self._flaw(request.words)
        if flaw is not None:
            self._refuse(request, flaw, records=False)
            return
        self._inbox.append(request)
        self._is_asked.set()

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
        elif self._transport is not None:
            self._transport.answer(request, {**known, "id": request.id})
        return True

    def _flaw(self, words: str) -> str | None:
        """Why ``words`` are no command of this run; None where they are one."""
        head, _, rest = words.partition(" ")
        if head in self._actions or head in ("pause", "resume", "undo"):
            return None
        if head == "note":
            return None if rest.strip() else "'note' is not complete: write 'note TEXT'"
        if head == "step":
            fits = not rest.strip() or (rest.strip().isdigit() and int(rest) > 0)
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
        known = ", ".join(sorted({*_WORDS, *self._actions}))
        return f"this trainer has no command '{head}': it obeys {known}"

    def _setting_of(self, rest: str) -> tuple[Setting, Value]:
        words = rest.split(None, 1)
        if len(words) != 2:
            raise Refused(f"'set {rest}' is not complete: write 'set NAME VALUE'")
        setting = self._settings.get(words[0])
        if setting is None:
            known = ", ".join(self._settings) or "none"
            raise Refused(f"no setting '{words[0]}': this trainer declares {known}")
        return setting, setting.read(words[1].strip())

    def _apply_all(self, requests: Sequence[Request]) -> None:
        for request in requests:
            try:
                self._apply(request)
            except Refused as refused:
                self._refuse(request, str(refused))
            except Exception as error:
                sys.stderr.write(traceback.format_exc())
                self._refuse(request, f"{type(error).__name__}: {error}")

    def _apply(self, request: Request) -> None:
        flaw = self._flaw(request.words)
        if flaw is not None:
            raise Refused(flaw)
        head, _, rest = request.words.partition(" ")
        rest = rest.strip()
        if head in self._actions:
            self._act(request, self._actions[head], rest)
        elif head == "set":
            self._set(request, *self._setting_of(rest))
        elif head == "undo":
            self._undo_last(request)
        elif head == "note":
            self._write_note(request, rest)
        elif head == "step":
            self._steps_left = int(rest or 1)
            self._pause(False)
            self._done(request, "step", f"step {self._steps_left}")
        elif head == "stop":
            self._is_stopping = True
            self._done(request, "stop", "stop")
        else:
            self._steps_left = 0
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
        setting = self._settings[name]
        before = setting.value
        setting.put(value)
        self._tell_set(request, setting, before, setting.value)

    def _tell_set(self, request: Request, setting: Setting, before: Value, after: Value) -> None:
        text = f"set {setting.name} {shown(before)} → {shown(after)}"
        if setting.name == MULTIPLIER:
            self._is_scaled = True
        self._event("set", text, by=request.by, name=setting.name, before=before, after=after)
        self._tell_settings()
        self._reply(request, request.answer(True, text, self._next_step, before, after))

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
        if at.isdigit() and text.strip():
            self._event("note", text.strip(), step=int(at), by=request.by)
            self._reply(request, request.answer(True, "note", self._next_step))
        else:
            self._done(request, "note", rest)

    def _pause(self, holds: bool) -> None:
        if holds == self._is_paused:
            return
        self._is_paused = holds
        if self._transport is not None:
            self._transport.tell({"state": "paused" if holds else "running"})
            self._transport.wake()

    def _done(self, request: Request, kind: str, text: str) -> None:
        self._event(kind, text, by=request.by)
        self._reply(request, request.answer(True, text, self._next_step))

    def _refuse(self, request: Request, reason: str, records: bool = True) -> None:
        if records:
            self._event(
                "refused", f"{request.words} refused: {reason}", by=request.by, name=request.words
            )
        self._reply(request, request.answer(False, reason, self._next_step))

    def _reply(self, request: Request, line: dict[str, Any]) -> None:
        asking: Any = [request]
        if request.once is not None:
            asking = self._marks.get(request.once, asking)
            self._marks[request.once] = line
        if self._transport is None:
            return
        for one in asking:
            self._transport.answer(one, line if one is request else {**line, "id": one.id})

    # Beginning and end

    def _open(
        self, description: dict[str, Any], folder: str, resume: bool | str | None, record: bool
    ) -> None:
        self._total_steps = description["total_steps"]
        if self._is_off or self.rank != 0:
            return
        if resume is True:
            resume = runfile.newest(folder, self.name)
        file = self._tried(lambda: runfile.opened(folder, self.name, resume or None))
        server = self._tried(lambda: ControlServer(self.name, self._take))
        self.path = os.path.abspath(file.path) if file is not None else None
        self.control = server.path if server is not None else None
        recorder = self._tried(self._recorder) if record else None
        self._description = self._described(description, bool(resume))
        beginning: list[dict[str, Any]] = [{"run": self._description}, {"state": "running"}]
        self._transport = Transport(file, server, recorder, self._warn, beginning)
        self._tell_settings()
        self._endings = Endings(self._end, self._exit)
        self._endings.install()
        _all.add(self)

    def _recorder(self) -> Recorder:
        stem = os.path.basename(self.path or self.name).rpartition(".jsonl")[0] or self.name
        return Recorder.found(os.path.join("sessions", stem + ".seismo"), self._take)

    def _tried(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except (OSError, AttributeError, ValueError) as error:
            self._warn(f"{error}")
            return None

    def _described(self, description: dict[str, Any], is_resumed: bool) -> dict[str, Any]:
        line: dict[str, Any] = {"protocol": PROTOCOL, "name": self.name}
        line.update((key, value) for key, value in description.items() if value is not None)
        if self._ranks > 1:
            line["ranks"] = self._ranks
        if is_resumed:
            line["resumed"] = True
        line.update(
            pid=os.getpid(),
            host=socket.gethostname(),
            started=round(time.time(), 3),
            command=[str(word) for word in sys.argv],
            python=sys.executable,
            client=f"seismo-python {__version__}, Python {platform.python_version()}",
        )
        if self.control is not None:
            line["control"] = self.control
        return line

    def _event(
        self, kind: str, text: str, by: str, step: int | None = None, **members: Any
    ) -> None:
        transport = self._transport
        if transport is None:
            return
        line: dict[str, Any] = {"event": kind}
        line["step"] = self._next_step if step is None else plain(step)
        line["time"] = round(time.time(), 3)
        line.update(members)
        line.update(by=by, text=str(text))
        transport.tell(line)

    def _end(self, state: str, reason: str | None) -> None:
        global _current
        if self._is_over:
            return
        self._is_over = True
        if _current is self:
            _current = None
        for call in self._enders:
            try:
                call()
            except Exception as error:
                self._trouble("the end", error)
        transport, self._transport = self._transport, None
        if transport is None:
            return
        for request in self._taken():
            transport.answer(request, request.answer(False, "the run is ending", self._next_step))
        line = {"state": state, "time": round(time.time(), 3)}
        if reason:
            line["reason"] = reason
        transport.tell(line)
        transport.close()
        if self._endings is not None:
            self._endings.remove()

    def _exit(self) -> None:
        """The interpreter ends without a word: the run is over if its steps are done."""
        total = self._total_steps
        if total is not None and self._next_step < total:
            self._end("stopped", f"the program ended at step {self._next_step} of {total}")
        else:
            self._end("finished", None)

    def _abandon(self) -> None:
        """In a forked child the run is the parent's: nothing is written, nothing served."""
        transport, self._transport = self._transport, None
        self._is_over = True
        if transport is not None:
            transport.abandon()
        if self._endings is not None:
            self._endings.remove()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None or error is None:
            self.finish()
        else:
            self._end(*ending_of(kind, error))

    # Trouble

    def _trouble(self, where: str, error: Exception) -> None:
        self._warn(f"{where}: {type(error).__name__}: {error}")

    def _warn(self, text: str) -> None:
        """One line on standard error, each once."""
        if text in self._warned or len(self._warned) > 100:
            return
        self._warned.add(text)
        with contextlib.suppress(Exception):
            sys.stderr.write(f"seismo: {text}\n")


def _after_fork() -> None:
    global _current
    _current = None
    for run in list(_all):
        run._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
