"""What a model does inside, measured on every so-manieth step: ``seismo.watch``."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any, Callable

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.hooks import RemovableHandle

from ..run import Run, current_run
from ..values import Deferred
from . import anatomy, standins
from .attention import Call, LogitStatistics, query_stride, statistics
from .experts import ExpertLoads
from .gradients import UpdateProbe, is_whole, norm_of, tell_gradients
from .host import Host, host_of, is_recomputing
from .optimizers import Optimizers, innermost, listed
from .outputs import logits_in, sums_of_logits
from .readings import Readings

#: Logits that are looked at in one call, at most; beyond it, every n-th query.
BUDGET = 1 << 28


def watch(
    model: nn.Module,
    optimizer: Optimizers = None,
    every: int = 50,
    *,
    run: Run | None = None,
    scaler: Any = None,
    blocks: Sequence[nn.Module] | None = None,
    budget: int = BUDGET,
) -> Watch:
    """Measures gradients, updates, activations, attention logits, output logits and experts.

    On one step in ``every`` it takes what the step computes, and reads nothing back before the
    client's thread does: the loop never waits for the device. Other steps run as if nothing were
    there. The values go with the next ``run.log``.

    Args:
        model: also compiled, or inside DistributedDataParallel. Of what FSDP has cut up, gradients
            and updates are left out.
        optimizer: one or several; left out, the one that first steps with the model's parameters.
        run: the present one, where it is left out.
        scaler: the ``GradScaler`` of the loop, for ``loss_scale`` and ``skipped_steps``.
        blocks: the modules that count as layers, where they are not found.
        budget: attention logits looked at in one call; of longer ones, every n-th query.

    Raises:
        RuntimeError: where no run has begun.
    """
    run = run if run is not None else current_run()
    if run is None:
        raise RuntimeError("seismo.watch: no run has begun: call seismo.init first")
    return Watch(run, model, optimizer, every, scaler, blocks, budget)


class Watch:
    """What ``watch`` returns; ``remove`` ends it."""

    def __init__(
        self,
        run: Run,
        model: nn.Module,
        optimizer: Optimizers,
        every: int,
        scaler: Any,
        blocks: Sequence[nn.Module] | None,
        budget: int,
    ) -> None:
        if every < 1:
            raise ValueError(f"seismo.watch: every={every}: give 1 or more")
        self.run = run
        self.model = model
        self.host = host_of(model, blocks)
        self.every = every
        self.budget = budget
        self.scaler = ScalerCount(scaler) if scaler is not None else None
        self._optimizers = listed(optimizer)
        self._discovery: RemovableHandle | None = None
        self._probe: StepProbe | None = None
        self._last_step = run.step - 1
        self._steps_since_log = 0
        self._steps_a_log = 0
        self._is_due = run.step % every == 0
        self._told: set[str] = set()
        self._latest: dict[str, Any] = {}
        self._is_over = not run.writes
        if self._is_over:
            return
        standins.install()
        self.host.probes = self
        for one in self._optimizers:
            self.host.attach(one)
        if not self._optimizers:
            self._discover()
        run.before_log(self._gathered)
        run.at_end(self.remove)
        if self._is_due:
            self._arm()

    def remove(self) -> None:
        """Ends the probes; the model is as it was."""
        self._disarm()
        self._is_over = True
        if self.host.probes is self:
            self.host.probes = None
        if self._discovery is not None:
            self._discovery.remove()

    def latest(self, name: str) -> float:
        """A value of the last probed step, for a loop that acts on it; NaN where it has none.

        Waits for the device.
        """
        value = self._latest.get(name, math.nan)
        return float(value.read() if isinstance(value, Deferred) else value)

    # Which steps

    def _gathered(self, step: int) -> dict[str, Any] | None:
        """Called as ``step`` is logged: hands over what was measured, and plans the next probe."""
        if self._is_over:
            return None
        probe = self._probe
        values = self._disarm()
        if probe is not None:
            self._tell(probe)
        stride = max(1, step - self._last_step)
        self._last_step = step
        self._steps_a_log, self._steps_since_log = self._steps_since_log, 0
        self._is_due = (step + stride) // self.every > step // self.every
        if self._is_due and self._steps_a_log <= 1:
            self._arm()
        return values

    def _arm(self) -> None:
        standins.install()
        self._is_due = False
        self._probe = StepProbe(self)

    def _disarm(self) -> dict[str, Any] | None:
        probe, self._probe = self._probe, None
        if probe is None:
            return None
        self._latest = probe.closed()
        return self._latest

    def _tell(self, probe: StepProbe) -> None:
        """Says once what could not be measured."""
        for text in probe.left_out():
            if text not in self._told:
                self._told.add(text)
                self.run.note(f"seismo.watch: {text}")

    # The host's observer

    def before_clipping(self) -> None:
        if self._probe is not None:
            self._probe.measure_gradients(None)

    def bound(self, parameters: Any, bound: float, clip: Callable[[Any], Any]) -> Any:
        return clip(bound)

    def before_step(self, optimizer: torch.optim.Optimizer) -> None:
        if self._probe is not None:
            self._probe.before_step(optimizer)

    def after_step(self, optimizer: torch.optim.Optimizer) -> None:
        if self._probe is not None:
            self._probe.after_step()
        if self._optimizers and optimizer is not self._optimizers[0]:
            return
        self._steps_since_log += 1
        # Where several steps make one log, the last of them is the one to look at.
        if self._is_due and self._probe is None and self._steps_since_log >= self._steps_a_log - 1:
            self._arm()

    def _discover(self) -> None:
        """Waits for an optimizer that steps with the model's parameters."""

        def hook(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            if torch.compiler.is_compiling() or self._is_over:
                return
            first = next((p for g in optimizer.param_groups for p in g["params"]), None)
            if any(known is optimizer for known in self._optimizers) or not self.host.holds(first):
                return
            self._optimizers.append(optimizer)
            self.host.attach(optimizer)
            # Its own hooks may be called from the next step on only.
            if self._probe is not None:
                self._probe.before_step(optimizer)

        self._discovery = register_optimizer_step_pre_hook(hook)


class StepProbe:
    """Everything that one probed step is measured by; it hooks in, and out when it is closed."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._host: Host = watch.host
        self._readings = Readings()
        self._has_gradients = False
        self._update: UpdateProbe | None = None
        self._attention: dict[int, list[LogitStatistics]] = {}
        self._activations: dict[int, list[Tensor]] = {}
        self._output: list[tuple[Tensor, Tensor, int]] = []
        self._stride = 1
        self._nested = False
        self._was_running = False
        self._loads = ExpertLoads(anatomy.routers_of(self._host.blocks))
        self._stance = _eager()
        self._host.open(watch.model)
        self._host.attention_probe = self._measure_attention
        self._loads.open(self._is_counted)
        self._hooks = [
            block.register_forward_hook(self._activation_hook(number))
            for number, block in enumerate(self._host.blocks)
        ]
        self._hooks.append(self._host.model.register_forward_hook(self._output_hook))

    def closed(self) -> dict[str, Any]:
        """Unhooks it and returns what it measured."""
        for hook in self._hooks:
            hook.remove()
        self._host.attention_probe = None
        self._host.close()
        if self._stance is not None:
            self._stance.__exit__(None, None, None)
        self._loads.close(self._readings)
        self._tell_passes()
        if self._watch.scaler is not None:
            self._watch.scaler.tell(self._readings)
        return self._readings.taken()

    def left_out(self) -> list[str]:
        """What this step did not show, in words."""
        told = []
        if self._was_running and not self._attention:
            told.append(
                "no attention logits: the model does not call torch's scaled_dot_product_attention "
                "(an eager or a flash-attn implementation, or need_weights=True)"
            )
        if self._nested:
            told.append("no attention logits of nested tensors")
        if self._stride > 1:
            told.append(
                f"attention logits: of long passes every {self._stride}th query is looked at; "
                "give budget=… for more"
            )
        if any(not is_whole(p) for g in self._host.groups for p in g.parameters):
            told.append("no gradients and updates of parameters that are cut up over ranks")
        if self._stance is None and anatomy.is_compiled(self._watch.model):
            told.append("this torch runs compiled models compiled: nothing inside them is measured")
        return told

    # Forward passes

    def _is_counted(self) -> bool:
        """Whether the pass that runs is a training pass, and not one computed again."""
        if torch.compiler.is_compiling():
            return False
        return self._host.model.training and not is_recomputing()

    def _measure_attention(self, block: int, call: Call, cap_inverse: Tensor | None) -> None:
        if not self._is_counted():
            return
        if call.query.is_nested:
            self._nested = True
            return
        self._stride = max(self._stride, query_stride(call, self._watch.budget))
        measured = statistics(call, cap_inverse, self._watch.budget)
        self._attention.setdefault(block, []).append(measured)

    def _activation_hook(self, number: int) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            stream = output[0] if isinstance(output, (tuple, list)) and output else output
            if isinstance(stream, Tensor) and stream.is_floating_point() and self._is_counted():
                with torch.no_grad():
                    rms = norm_of(stream.detach()) / max(1, stream.numel()) ** 0.5
                self._activations.setdefault(number, []).append(rms)

        return hook

    def _output_hook(self, module: nn.Module, given: Any, output: Any) -> None:
        self._was_running = True
        logits = logits_in(output)
        if logits is not None and self._is_counted():
            self._output.append(sums_of_logits(logits))

    def _tell_passes(self) -> None:
        self._tell_attention()
        for layer, several in self._activations.items():
            self._readings.add(f"activation_rms/{layer}", torch.stack(several).mean())
        if self._output:
            means, log_z, rows = zip(*self._output)
            count = max(1, sum(rows))
            self._readings.add("output_logit_mean", torch.stack(means).sum() / count)
            self._readings.add("log_z", torch.stack(log_z).sum() / count)

    def _tell_attention(self) -> None:
        maxima = []
        for layer, calls in sorted(self._attention.items()):
            maximum, entropy, rows, share, shared = (
                torch.stack([t.to(calls[0].maximum.device) for t in column])
                for column in zip(*calls)
            )
            maxima.append(maximum.amax())
            self._readings.add(f"attention_logit_max/{layer}", maxima[-1])
            self._readings.add(f"attention_entropy/{layer}", entropy.sum() / rows.sum())
            self._readings.add(f"attention_entropy_share/{layer}", share.sum() / shared.sum())
        if maxima:
            first = maxima[0].device
            together = torch.stack([m.to(first, non_blocking=True) for m in maxima])
            self._readings.add("attention_logit_max", together.amax())

    # Steps

    def measure_gradients(self, scale: Tensor | None) -> None:
        """Once a step, before anything clips them."""
        if self._has_gradients:
            return
        self._has_gradients = True
        tell_gradients(self._host.groups, scale, self._readings)

    def before_step(self, optimizer: torch.optim.Optimizer) -> None:
        # Fused optimizers under a GradScaler unscale within their step.
        scale = getattr(optimizer, "grad_scale", None)
        self.measure_gradients(scale if isinstance(scale, Tensor) else None)
        if self._update is None:
            try:
                self._update = UpdateProbe(self._host.groups)
            except RuntimeError:
                self._watch.run.note("seismo.watch: no memory for the sample that updates need")

    def after_step(self) -> None:
        """Where several optimizers step, the last one's end is what counts."""
        if self._update is not None:
            self._update.tell(self._readings)


class ScalerCount:
    """The loss scale, and how many steps were skipped because gradients were not finite."""

    def __init__(self, scaler: Any) -> None:
        self._scaler = scaler
        self._skipped = 0
        step = scaler.step

        def counted(optimizer: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> Any:
            stepped: list[bool] = []
            inner = innermost(optimizer)
            handle = inner.register_step_pre_hook(lambda *_: stepped.append(True))
            try:
                return step(optimizer, *args, **kwargs)
            finally:
                handle.remove()
                self._skipped += not stepped

        scaler.step = counted

    def tell(self, readings: Readings) -> None:
        scale = getattr(self._scaler, "_scale", None)
        if isinstance(scale, Tensor):
            readings.add("loss_scale", scale.detach().clone())
        readings.add("skipped_steps", self._skipped)


def _eager() -> Any:
    """Lets compiled code run uncompiled until it is closed; None where that cannot be."""
    set_stance = getattr(torch.compiler, "set_stance", None)
    if set_stance is None or "torch._dynamo" not in sys.modules:
        return None
    return set_stance("force_eager")
