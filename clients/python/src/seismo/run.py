"""A run: what the loop logs, and what it is asked."""

from __future__ import annotations

import os
import platform
import socket
import sys
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Callable, Optional

from . import ranks, runfile
from ._version import __version__
from .control import ControlServer
from .ending import Endings, ending_of
from .hands import Hands
from .journal import Journal
from .lines import PROTOCOL, jsonable
from .multiplier import NAME as MULTIPLIER
from .ranks import Agreement, BroadcastAgreement, StoreAgreement
from .recorder import Recorder
from .requests import Request
from .settings import Action, Setting, Value, declared
from .transport import Transport
from .values import freeze, frozen_all

_current: Run | None = None
_all: weakref.WeakSet[Run] = weakref.WeakSet()

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
    if "kernel_launcher" in stem:
        return "notebook"
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
        self._is_over = False
        self._total_steps: int | None = None
        self._description: dict[str, Any] = {}
        self._journal = Journal()
        self._hands = Hands(self._journal)
        self._endings: Endings | None = None
        self._broadcast = broadcast
        self._agreement: Agreement | None = None
        #: What rank 0 was asked and all ranks will apply.
        self._shared: dict[int, Request] = {}
        self._probes: list[Probe] = []
        self._enders: list[Callable[[], None]] = []
        self._pending: dict[str, Any] = {}

    # The loop's side

    @property
    def writes(self) -> bool:
        """Whether what is logged leads anywhere: not when off, over, or on another rank."""
        return self._journal.transport is not None

    @property
    def step(self) -> int:
        """The step that comes next: one more than the last logged."""
        return self._journal.next_step

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Records metrics of a step; 2 µs for ten floats.

        Nested mappings are joined by ``/``; texts become notes. Tensors on a device are cloned on
        their stream and read in the run's thread.

        Args:
            step: counted on from the last where it is left out; one that goes back is kept.
        """
        transport = self._journal.transport
        if transport is None:
            if step is not None or self.rank:
                self._journal.next_step = (
                    self._journal.next_step if step is None else int(step)
                ) + 1
            return
        try:
            step = self._journal.next_step if step is None else int(step)
            self._journal.next_step = step + 1
            frozen = frozen_all(metrics)
            if self._pending or self._probes or self._hands.is_scaled:
                self._add_probed(frozen, step)
            transport.put((step, time.time(), frozen))
        except Exception as error:
            self._journal.trouble("log", error)

    def _add_probed(self, frozen: dict[str, Any], step: int) -> None:
        for probe in self._probes:
            try:
                for key, value in (probe(step) or {}).items():
                    frozen.setdefault(key, freeze(value))
            except Exception as error:
                self._journal.trouble("a probe", error)
        pending, self._pending = self._pending, {}
        for key, value in pending.items():
            frozen.setdefault(key, value)
        multiplier = self._hands.settings.get(MULTIPLIER)
        if multiplier is not None and self._hands.is_scaled:
            frozen.setdefault("lr/multiplier", multiplier.value)

    def add(self, metrics: Mapping[str, Any]) -> None:
        """Keeps values for the next ``log``, whose step they belong to; for probes."""
        if self._journal.transport is None:
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
        self._hands.declare(*what)

    def setting(self, name: str) -> Value:
        """The value in force of a declared setting.

        Raises:
            KeyError: if it is not declared.
        """
        return self._hands.settings[name].value

    def steps(self, total: int, start: int = 0) -> Iterator[int]:
        """The steps of a loop: polls before each but the first, ends where asked to stop."""
        self._hands.heed_stop()
        for step in range(start, total):
            if step > start and not self.poll():
                return
            yield step

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop. Who reads it heeds it: ``stop`` is offered from then on."""
        self._hands.heed_stop()
        return self._hands.is_stopping

    def poll(self) -> bool:
        """Applies what was asked, between two steps; waits while the run is paused.

        Returns:
            Whether the run goes on: False once it was asked to stop.

        Costs 0.1 µs where nothing was asked; with torch.distributed one round trip to its store.
        """
        try:
            if self._is_off or self._is_over:
                return not self._hands.is_stopping
            if self._ranks > 1 or self._broadcast is not None:
                self._poll_together()
            elif self._hands.inbox or self._hands.is_paused or self._hands.steps_left:
                self._poll_alone()
        except Exception as error:
            self._journal.trouble("poll", error)
        return not self._hands.is_stopping

    def _poll_alone(self) -> None:
        self._hands.count_step()
        self._hands.apply_all(self._hands.taken())
        while self._hands.is_paused and not self._hands.is_stopping and not self._is_over:
            self._hands.wait(0.5)
            self._hands.apply_all(self._hands.taken())

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
        self._hands.count_step()
        self._exchange(agreement)
        while self._hands.is_paused and not self._hands.is_stopping and not self._is_over:
            if self.rank == 0:
                self._hands.wait(0.25)
            self._exchange(agreement)
        return None

    def _exchange(self, agreement: Agreement) -> None:
        asked = self._hands.taken()
        for request in asked:
            self._shared[id(request)] = request
        lines = [{"words": r.words, "by": r.by, "serial": id(r)} for r in asked]
        for line in agreement.exchange(lines, self._hands.is_paused):
            mine = self._shared.pop(line["serial"], None) if self.rank == 0 else None
            self._hands.apply_all([mine or Request(line["words"], line["by"])])

    def _refuse_together(self) -> None:
        for request in self._hands.taken():
            self._hands.refuse(
                request,
                f"rank 0 cannot tell the other {self._ranks - 1} ranks: call poll once "
                "torch.distributed is initialised, or give init a broadcast function",
            )

    def request(self, words: str, by: str = "script") -> None:
        """Asks as a person would, from the script: applied at the next ``poll``, and recorded."""
        if self._is_off or self._is_over or self.rank:
            return
        self._hands.ask(Request(words, by=by))

    def note(self, text: str, step: int | None = None) -> None:
        """Writes a note beside the present step, or another."""
        self._journal.event("note", text, step=step, by="script")

    def alert(self, title: str, text: str = "", level: str = "warn") -> None:
        """Raises an alarm of the script's own, named ``title``."""
        self._journal.event(
            "alarm", f"{title}: {text}" if text else title, by="script", name=title, level=level
        )

    def checkpoint(self, path: str | os.PathLike[str], step: int | None = None) -> None:
        """Says that a checkpoint was written to ``path``, by default of the step to come."""
        path = os.fspath(path)
        name = os.path.basename(os.path.normpath(path))
        step = self._journal.next_step if step is None else step
        self._journal.event("checkpoint", f"checkpoint {path}", step=step, by="script", name=name)

    def describe(self, config: Any = None, total_steps: int | None = None, **members: Any) -> None:
        """Adds to what the run line tells, once more is known; ``config`` is merged."""
        if total_steps is not None:
            self._total_steps = total_steps
            members["total_steps"] = total_steps
        if config is not None:
            known = self._description.get("config") or {}
            members["config"] = {**known, **jsonable(config)}
        self._description.update((key, jsonable(value)) for key, value in members.items())
        self._journal.tell({"run": dict(self._description)})

    def finish(self, reason: str | None = None) -> None:
        """Ends the run: finished, or stopped for a reason. All that was logged is written then."""
        if reason is None and self._hands.is_stopping:
            reason = "asked to stop"
        self._end("stopped" if reason else "finished", reason)

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
        server = self._tried(lambda: ControlServer(self.name, self._hands.take))
        self.path = os.path.abspath(file.path) if file is not None else None
        self.control = server.path if server is not None else None
        recorder = self._tried(self._recorder) if record else None
        self._description = self._described(description, bool(resume))
        beginning: list[dict[str, Any]] = [{"run": self._description}, {"state": "running"}]
        self._journal.transport = Transport(file, server, recorder, self._journal.warn, beginning)
        self._hands.tell_settings()
        self._endings = Endings(self._end, self._exit)
        self._endings.install()
        _all.add(self)

    def _recorder(self) -> Recorder:
        stem = os.path.basename(self.path or self.name).rpartition(".jsonl")[0] or self.name
        return Recorder.found(os.path.join("sessions", stem + ".seismo"), self._hands.take)

    def _tried(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except (OSError, AttributeError, ValueError) as error:
            self._journal.warn(f"{error}")
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
                self._journal.trouble("the end", error)
        for request in self._hands.taken():
            self._hands.refuse(request, "the run is ending", records=False)
        self._journal.state(state, reason)
        transport, self._journal.transport = self._journal.transport, None
        if transport is not None:
            transport.close()
        if self._endings is not None:
            self._endings.remove()

    def _exit(self) -> None:
        """The interpreter ends without a word: the run is over if its steps are done."""
        total = self._total_steps
        if total is not None and self._journal.next_step < total:
            self._end("stopped", f"the program ended at step {self._journal.next_step} of {total}")
        else:
            self._end("finished", None)

    def _abandon(self) -> None:
        """In a forked child the run is the parent's: nothing is written, nothing served."""
        transport, self._journal.transport = self._journal.transport, None
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


def _after_fork() -> None:
    global _current
    _current = None
    for run in list(_all):
        run._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
