"""The factor on the rate holds under every way in which a rate is scheduled."""

import pytest

import seismo

torch = pytest.importorskip("torch")


def trained(schedule, factor, steps=6, optimizer_kind=None, by_hand=False):
    """The weight after some steps with a rate scaled from step 2 on, and the rates seen."""
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = (optimizer_kind or torch.optim.SGD)([weight], lr=0.1)
    scheduler = schedule(optimizer) if schedule else None
    setting = seismo.multiplier(optimizer)
    rates = []
    for step in range(steps):
        if step == 2:
            setting.set(factor)
        if by_hand:
            for group in optimizer.param_groups:
                group["lr"] = 0.1 / (step + 1)
        rates.append(float(optimizer.param_groups[0]["lr"]))
        before = weight.detach().clone()
        weight.grad = torch.ones(1)
        optimizer.step()
        moved = float(before - weight.detach())
        expected = rates[-1] * (factor if step >= 2 else 1)
        assert moved == pytest.approx(expected, rel=1e-4)
        if scheduler is not None:
            scheduler.step()
    return rates


schedulers = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    "schedule",
    [
        None,
        lambda o: schedulers.LambdaLR(o, lambda step: 1 / (step + 1)),
        lambda o: schedulers.StepLR(o, 2, 0.5),
        lambda o: schedulers.ExponentialLR(o, 0.9),
        lambda o: schedulers.CosineAnnealingLR(o, 6),
        lambda o: schedulers.OneCycleLR(o, 0.1, total_steps=10, cycle_momentum=False),
        lambda o: schedulers.SequentialLR(
            o, [schedulers.LinearLR(o), schedulers.ExponentialLR(o, 0.9)], [3]
        ),
    ],
)
@pytest.mark.parametrize("factor", [0.5, 0.0, 3.0])
def test_the_schedule_goes_on_as_if_nobody_had_touched_it(schedule, factor):
    assert trained(schedule, factor) == trained(schedule, 1.0)


def test_a_rate_that_the_loop_sets_by_hand_is_scaled_too():
    assert trained(None, 0.5, by_hand=True) == trained(None, 1.0, by_hand=True)


def test_a_rate_that_is_a_tensor_keeps_its_place():
    weight = torch.nn.Parameter(torch.ones(1))
    rate = torch.tensor(0.1)
    optimizer = torch.optim.AdamW([weight], lr=rate, capturable=False, foreach=False)
    setting = seismo.multiplier(optimizer)
    setting.set(0.5)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert float(rate) == pytest.approx(0.1)


def test_a_step_that_raises_leaves_the_schedules_rate():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    setting = seismo.multiplier(optimizer)
    setting.set(0.5)

    def fail():
        raise RuntimeError("no loss")

    with pytest.raises(RuntimeError):
        optimizer.step(fail)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert optimizer.param_groups[0]["lr"] == 0.1
    assert float(weight.detach()) == pytest.approx(1 - 0.05)


def test_groups_and_wrapped_optimizers():
    one, two = (torch.nn.Parameter(torch.ones(1)) for _ in range(2))
    inner = torch.optim.SGD([{"params": [one], "lr": 0.1}, {"params": [two], "lr": 0.2}])

    class Wrapper:
        optimizer = inner

    setting = seismo.multiplier(Wrapper())
    setting.set(0.5)
    one.grad, two.grad = torch.ones(1), torch.ones(1)
    inner.step()
    assert float(one.detach()) == pytest.approx(0.95)
    assert float(two.detach()) == pytest.approx(0.9)


def test_an_optimizer_without_hooks_is_wrapped():
    class Plain:
        def __init__(self):
            self.param_groups = [{"lr": 1.0}]
            self.seen = []

        def step(self):
            self.seen.append(self.param_groups[0]["lr"])

    optimizer = Plain()
    setting = seismo.multiplier(optimizer)
    setting.set(0.25)
    optimizer.step()
    assert (optimizer.seen, optimizer.param_groups[0]["lr"]) == ([0.25], 1.0)
    with pytest.raises(TypeError, match="give an optimizer with param_groups and step"):
        seismo.multiplier([{"lr": 1.0}])


def test_without_an_optimizer_it_is_a_number_that_the_loop_reads(run):
    factor = seismo.multiplier()
    run.controls(rate=factor)
    run.request("set lr.multiplier 0.5")
    run.poll()
    assert factor.value == 0.5


def test_a_factor_that_a_cell_run_before_left_counts_no_more():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    seismo.multiplier(optimizer).set(0.5)
    seismo.multiplier(optimizer).set(2.0)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert float(weight.detach()) == pytest.approx(1 - 0.2)
