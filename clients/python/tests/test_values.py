"""Numbers are read when that costs nothing, and never by waiting for a device."""

import threading

import pytest
from conftest import steps_of

import seismo


class Device:
    type = "warp"


class DeviceTensor:
    """Stands in for a tensor on a device, and counts who copies it to the host, and where."""

    def __init__(self, value, copies, clones=None):
        self.value = value
        self.copies = copies
        self.clones = clones if clones is not None else []
        self.device = Device()

    def numel(self):
        return 1

    def detach(self):
        return self

    def clone(self):
        self.clones.append(threading.current_thread().name)
        return DeviceTensor(self.value, self.copies, self.clones)

    def item(self):
        self.copies.append(threading.current_thread().name)
        return self.value

    def _synchronise(self, *_):
        raise AssertionError("the loop waited for the device")

    __float__ = __int__ = __bool__ = __len__ = __index__ = _synchronise
    __eq__ = __lt__ = __gt__ = __format__ = __repr__ = tolist = cpu = numpy = _synchronise
    __hash__ = object.__hash__


def test_a_device_tensor_is_cloned_in_the_loop_and_copied_in_the_thread(run):
    copies, clones = [], []
    loss = DeviceTensor(2.5, copies, clones)
    run.log({"loss": loss, "nested": {"norm": loss}}, step=1)
    loss.value = 99.0  # what a later step makes of the same memory
    run.poll()
    run.finish()
    assert clones == [threading.current_thread().name] * 2
    assert copies == ["seismo"] * 2
    assert steps_of(run.path)[0]["metrics"] == {"loss": 2.5, "nested/norm": 2.5}


def test_a_cpu_tensor_is_read_at_once(run):
    torch = pytest.importorskip("torch")
    loss = torch.tensor(2.0, requires_grad=True) * 1
    run.log({"loss": loss, "half": torch.tensor(0.5, dtype=torch.bfloat16)}, step=1)
    loss.detach().mul_(100)
    run.finish()
    assert steps_of(run.path)[0]["metrics"] == {"loss": 2.0, "half": 0.5}


def test_a_tensor_of_many_elements_is_left_out(run, capsys):
    torch = pytest.importorskip("torch")
    run.log({"loss": 1.0, "weights": torch.zeros(3, 4), "one": torch.ones(1, 1)})
    run.finish()
    assert steps_of(run.path)[0]["metrics"] == {"loss": 1.0, "one": 1.0}
    assert "'weights' is Tensor of shape (3, 4), no number: left out" in capsys.readouterr().err


def test_numpy_scalars_are_numbers(run):
    numpy = pytest.importorskip("numpy")
    value = numpy.array(3.0)
    run.log({"a": numpy.float32(0.5), "b": numpy.int64(7), "c": value, "d": numpy.bool_(True)})
    value[...] = 99
    run.log({"e": numpy.zeros(3)}, step=numpy.int32(4))
    run.finish()
    first, second = steps_of(run.path)
    assert first["metrics"] == {"a": 0.5, "b": 7, "c": 3.0, "d": True}
    assert (second["step"], second["metrics"]) == (4, {})


def test_jax_arrays_are_read_in_the_thread(run):
    jax = pytest.importorskip("jax")
    loss = jax.jit(lambda x: x * 2)(1.25)
    run.log({"loss": loss, "many": jax.numpy.zeros(3)})
    run.finish()
    assert steps_of(run.path)[0]["metrics"] == {"loss": 2.5}


def test_a_deferred_value_that_cannot_be_read_costs_only_itself(run):
    class Gone(DeviceTensor):
        def clone(self):
            return self

        def item(self):
            raise RuntimeError("deleted")

    run.log({"loss": 1.0, "gone": Gone(1, [])})
    run.log({"loss": 2.0})
    run.finish()
    assert [line["metrics"]["loss"] for line in steps_of(run.path)] == [1.0, 2.0]


def test_settings_keep_the_kind_of_number_they_hold():
    class Config:
        count = 4
        clip = 1

    count = seismo.attribute(Config, "count", 1, 9).named("count")
    count.put(8.0)
    assert type(Config.count) is int
    clip = seismo.attribute(Config, "clip", 0, 9).named("clip")
    clip.put(0.5)
    assert Config.clip == 0.5
