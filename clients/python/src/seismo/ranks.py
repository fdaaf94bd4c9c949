"""Which of several processes this one is, and how all of them apply a command at the same step.

Rank 0 alone writes and is asked; what it decides at one poll, every rank applies at its next. That
goes through the key-value store that ``torch.distributed`` already has: no collective, nothing on a
device. A loop on another framework hands ``init`` a ``broadcast`` function instead.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from typing import Any, Callable, Protocol

Commands = list[dict[str, Any]]


def rank() -> int:
    """This process's number among those of the job; 0 where it is alone."""
    distributed = _distributed()
    if distributed is not None:
        return int(distributed.get_rank())
    return _first("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", default=0)


def world_size() -> int:
    """Processes of the job; 1 where this one is alone."""
    distributed = _distributed()
    if distributed is not None:
        return int(distributed.get_world_size())
    return _first("WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", default=1)


def _distributed() -> Any:
    """torch.distributed where it is in use; None elsewhere, and where nobody imported it."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return None
    return distributed


def _first(*names: str, default: int) -> int:
    for name in names:
        word = os.environ.get(name, "")
        if word.isdigit():
            return int(word)
    return default


class Agreement(Protocol):
    """Gives every rank, poll by poll, the same commands."""

    def exchange(self, commands: Commands, is_paused: bool) -> Commands:
        """Takes what rank 0 was asked; returns what all apply now, in the same order."""


class BroadcastAgreement:
    """By a function of the script's own: ``broadcast(object)`` gives all ranks rank 0's object."""

    def __init__(self, broadcast: Callable[[Any], Any]) -> None:
        self._broadcast = broadcast

    def exchange(self, commands: Commands, is_paused: bool) -> Commands:
        agreed: Commands = json.loads(self._broadcast(json.dumps(commands)))
        return agreed


class StoreAgreement:
    """By torch.distributed's store: one small ``set`` a poll on rank 0, one ``get`` on the others.

    Every rank must call ``poll`` equally often. Rank 0 never waits; another waits until rank 0 has
    passed the poll before, which it has unless it is more than a step behind.
    """

    #: Seconds after which a rank that hears nothing from rank 0 goes on alone.
    TIMEOUT = 300.0
    #: Polls whose keys are kept for ranks that lag behind.
    KEPT = 1000

    def __init__(self, store: Any, rank: int) -> None:
        self._store = store
        self._rank = rank
        self._polls = 0
        self._decided: Commands = []
        self._is_alone = False
        self._is_paused = False

    @classmethod
    def found(cls, rank: int) -> StoreAgreement | None:
        """Where torch.distributed runs; None elsewhere."""
        distributed = _distributed()
        if distributed is None or distributed.get_world_size() == 1:
            return None
        store = distributed.distributed_c10d._get_default_store()
        return cls(distributed.PrefixStore("seismo", store), rank)

    def exchange(self, commands: Commands, is_paused: bool) -> Commands:
        poll = self._polls
        self._polls += 1
        if self._rank == 0:
            # What is asked now is for the next poll, which no rank leaves before this one left.
            self._store.set(str(poll + 1), json.dumps(commands))
            if poll >= self.KEPT:
                self._store.delete_key(str(poll - self.KEPT + 1))
            due, self._decided = self._decided, commands
            return due
        if poll == 0 or self._is_alone:
            return []
        return self._heard(poll, is_paused)

    def _heard(self, poll: int, is_paused: bool) -> Commands:
        key = str(poll)
        while True:
            try:
                self._store.wait([key], timedelta(seconds=self.TIMEOUT))
                heard: Commands = json.loads(self._store.get(key))
                return heard
            except Exception as error:
                if is_paused:
                    continue
                self._is_alone = True
                raise RuntimeError(
                    f"rank {self._rank} hears nothing from rank 0: every rank must call poll "
                    "equally often; it goes on without commands"
                ) from error
