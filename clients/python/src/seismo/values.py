"""Numbers as loops hand them over: floats, NumPy scalars, tensors on any device."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Callable

_PLAIN = frozenset((float, int, bool, str, type(None)))


class Deferred:
    """A value that is on its way from a device; read in the run's own thread."""

    __slots__ = ("_read", "_ready")

    def __init__(self, read: Callable[[], Any], ready: Callable[[], Any] | None = None) -> None:
        self._read = read
        self._ready = ready

    def read(self) -> Any:
        """Waits for the device, in the thread that calls."""
        try:
            if self._ready is not None:
                self._ready()
            return plain(self._read())
        except Exception as error:
            return Unreadable(error)


def frozen_all(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """``metrics`` as they are now; see ``freeze``."""
    if _PLAIN.issuperset(map(type, metrics.values())):
        return dict(metrics)
    return {key: freeze(value) for key, value in metrics.items()}


def freeze(value: Any) -> Any:
    """``value`` as it is now, whatever the loop does to it next.

    Plain numbers as they are; a CPU tensor and a NumPy scalar are read at once, since a later step
    may change their memory; a tensor on a device is cloned on its stream and read later; a JAX
    array, which nothing can change, is read later; what is deferred already stays so. Never waits
    for a device.
    """
    if type(value) in _PLAIN or type(value) is Deferred:
        return value
    if isinstance(value, Dropped):
        return Unreadable(value)
    if isinstance(value, dict):
        return {key: freeze(member) for key, member in value.items()}
    if hasattr(value, "detach") and hasattr(value, "device"):
        return _freeze_tensor(value)
    if hasattr(value, "block_until_ready"):
        return Deferred(lambda: value.item() if value.size == 1 else Unreadable(value))
    return plain(value)


def _freeze_tensor(tensor: Any) -> Any:
    if tensor.numel() != 1:
        return Unreadable(tensor)
    kind = getattr(tensor.device, "type", str(tensor.device))
    if kind == "cpu":
        return tensor.item()
    clone = tensor.detach().clone()
    return Deferred(clone.item, _arrival(kind, tensor.device))


def _arrival(kind: str, device: Any) -> Callable[[], Any] | None:
    """Waits until what the loop has asked of the device so far is done; None where unknown."""
    module = getattr(sys.modules.get("torch"), kind, None)
    if module is None or not hasattr(module, "Event"):
        return None
    event = module.Event()
    event.record(module.current_stream(device))
    wait: Callable[[], Any] = event.synchronize
    return wait


class Dropped:
    """An image, a table or the like, of another tracker's kind."""


class Unreadable:
    """Something that is no single number."""

    __slots__ = ("kind",)

    def __init__(self, value: Any) -> None:
        self.kind = type(value).__name__
        shape = None if isinstance(value, Dropped) else getattr(value, "shape", None)
        if isinstance(shape, tuple):
            self.kind += f" of shape {tuple(shape)}"


def plain(value: Any) -> Any:
    """``value`` as a flag, a number or a text; ``Unreadable`` where it is none."""
    if type(value) in _PLAIN or isinstance(value, Unreadable):
        return value
    if isinstance(value, (bool, int, str)):
        return value
    try:
        if hasattr(value, "item"):
            value = value.item()
            if isinstance(value, (bool, int, str)):
                return value
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return Unreadable(value)
