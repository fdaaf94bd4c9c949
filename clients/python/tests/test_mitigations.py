"""Switches in somebody else's model: what each must do, and that the step of a switch is whole."""

import functools
import gc
import math
import weakref

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812
from conftest import events_of, steps_of  # noqa: E402
from test_probes import Encoder, hugging, language_loss, language_model_loss, padded  # noqa: E402
from torch import nn  # noqa: E402
from torch_models import gpt, normalised, tokens  # noqa: E402

import seismo  # noqa: E402
from seismo.torch import standins  # noqa: E402


def grown(model, factor=6.0):
    """With queries and keys large enough for logits to be far from small."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if any(word in name for word in ("c_attn.weight", "q_proj", "k_proj", "in_proj")):
                parameter *= factor
    return model


class ByHand(nn.Module):
    """Computes a model's attention with its logits written out, blended and capped."""

    def __init__(self, model, weight=0.0, cap=0.0):
        super().__init__()
        self.model, self.weight, self.cap = model, weight, cap

    def attention(self, query, key, value, mask=None, dropout=0.0, is_causal=False, **others):
        if others.get("enable_gqa"):
            groups = query.shape[-3] // key.shape[-3]
            key = key.repeat_interleave(groups, dim=-3)
            value = value.repeat_interleave(groups, dim=-3)
        scale = others.get("scale")
        scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
        old = query @ key.transpose(-1, -2)
        new = normalised(query).float() @ normalised(key).float().transpose(-1, -2)
        logits = scale * ((1 - self.weight) * old + self.weight * new)
        if self.cap:
            logits = self.cap * torch.tanh(logits / self.cap)
        if is_causal:
            seen = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
            logits = logits.masked_fill(~seen, -math.inf)
        if mask is not None:
            logits = (
                logits.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else logits + mask
            )
        return torch.softmax(logits, dim=-1) @ value

    def loss(self, compute):
        before = F.scaled_dot_product_attention
        F.scaled_dot_product_attention = self.attention
        try:
            return compute(self.model)
        finally:
            F.scaled_dot_product_attention = before


def encoder_loss(model):
    return model(*padded()).square().mean()


def layer_loss(model):
    x, padding = padded()
    output = model(x, src_key_padding_mask=padding)
    return (output * torch.linspace(-1, 1, output.numel()).view(output.shape)).mean() * 10


def encoder():
    torch.manual_seed(0)
    return Encoder()


def layers():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    return nn.TransformerEncoder(layer, 2)


MODELS = {
    "nanoGPT": (gpt, language_model_loss),
    "GPT2": (lambda: hugging("GPT2", attn_pdrop=0, resid_pdrop=0, embd_pdrop=0), language_loss),
    "Llama": (lambda: hugging("Llama"), language_loss),
    "Mixtral": (lambda: hugging("Mixtral"), language_loss),
    "Olmoe": (lambda: hugging("Olmoe"), language_loss),
    "DeepseekV3": (lambda: hugging("DeepseekV3"), language_loss),
    "MultiheadAttention": (encoder, encoder_loss),
    "TransformerEncoderLayer": (layers, layer_loss),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_switch_is_blended_as_the_logits_written_out_are(name):
    make, compute = MODELS[name]
    model = grown(make())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    untouched = compute(model).detach()
    switch = seismo.mitigations(model, optimizer, blend_steps=4)
    assert torch.equal(compute(model), untouched)
    switch.set("qk_layernorm", True)
    # The step of the switch has every bit of the loss it would have had.
    assert torch.equal(compute(model), untouched)
    for step in range(1, 6):
        optimizer.step()
        optimizer.zero_grad()
        loss = compute(model)
        loss.backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        optimizer.zero_grad()
        expected = ByHand(model, weight=min(1, step / 4)).loss(compute)
        expected.backward()
        assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5, abs=1e-5)
        wanted = [p.grad for p in model.parameters() if p.grad is not None]
        for a, b in zip(gradients, wanted):
            # Of the largest: single precision sums in another order through another kernel.
            assert torch.allclose(a, b, rtol=1e-3, atol=2e-5 * max(1.0, float(b.abs().max())))
    assert float(expected.detach()) != pytest.approx(float(untouched), abs=1e-5)
    switch.set("qk_layernorm", False)
    for _ in range(4):
        optimizer.step()
    assert torch.equal(compute(model), untouched)


@pytest.mark.parametrize("name", ["nanoGPT", "Llama", "MultiheadAttention"])
def test_the_cap_bounds_the_logits(name):
    make, compute = MODELS[name]
    model = grown(make())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    untouched = compute(model).detach()
    switch = seismo.mitigations(model, optimizer, blend_steps=4)
    switch.set("logit_softcap", 2.0)
    assert torch.equal(compute(model), untouched)
    for step in range(1, 6):
        optimizer.step()
        expected = ByHand(model, cap=2.0 * max(1, 4 / step)).loss(compute)
        assert float(compute(model).detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
    # Both at once: the cap is on the blended logits.
    switch.set("qk_layernorm", True)
    optimizer.step()
    expected = ByHand(model, weight=0.25, cap=2.0).loss(compute)
    assert float(compute(model).detach()) == pytest.approx(float(expected.detach()), abs=1e-5)
    assert switch["logit_softcap"] == 2.0


def test_a_switch_in_the_middle_of_a_blend_goes_on_from_there():
    model = grown(gpt())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    switch = seismo.mitigations(model, optimizer, blend_steps=10)
    switch.set("qk_layernorm", True)
    for _ in range(5):
        optimizer.step()
    halfway = language_model_loss(model).detach()
    switch.set("qk_layernorm", False)
    assert torch.equal(language_model_loss(model), halfway)
    assert float(halfway) == pytest.approx(
        float(ByHand(model, weight=0.5).loss(language_model_loss).detach()), abs=1e-5
    )


def test_evaluation_runs_with_what_training_runs_with():
    """Torch's fast path for encoder layers calls no attention that could be stood in for."""
    model = grown(layers()).eval()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    switch = seismo.mitigations(model, optimizer, blend_steps=1)
    switch.set("qk_layernorm", True)
    optimizer.step()
    with torch.no_grad():
        got = layer_loss(model)
        expected = ByHand(model, weight=1.0).loss(layer_loss)
    assert float(got) == pytest.approx(float(expected), abs=1e-5)
    assert not torch.backends.mha.get_fastpath_enabled()
    switch.set("qk_layernorm", False)
    optimizer.step()
    assert torch.backends.mha.get_fastpath_enabled()


def test_another_model_of_the_program_is_left_alone():
    mine, other = grown(gpt(0)), grown(gpt(1))
    untouched = language_model_loss(other).detach()
    optimizer = torch.optim.SGD(mine.parameters(), lr=0.0)
    switch = seismo.mitigations(mine, optimizer, blend_steps=1)
    switch.set("qk_layernorm", True)
    optimizer.step()
    language_model_loss(mine)
    assert torch.equal(language_model_loss(other), untouched)


@pytest.mark.parametrize("part", ["block", "attention"])
@pytest.mark.parametrize("is_bound_early", [True, False])
def test_what_is_computed_again_going_backward_has_the_same_logits(part, is_bound_early):
    import torch.utils.checkpoint as checkpoints

    early = checkpoints.checkpoint

    def gradients(is_checkpointed):
        model = grown(gpt())
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        switch = seismo.mitigations(model, optimizer, blend_steps=2)
        switch.set("qk_layernorm", True)
        optimizer.step()
        checkpoint = early if is_bound_early else checkpoints.checkpoint
        for block in model.transformer.h if is_checkpointed else ():
            module = block if part == "block" else block.attn
            again = functools.partial(checkpoint, module.forward, use_reentrant=False)
            module.forward = again
        language_model_loss(model).backward()
        switch.remove()
        return [p.grad for p in model.parameters()]

    for a, b in zip(gradients(False), gradients(True)):
        assert torch.allclose(a, b, atol=1e-6)


def test_z_loss_adds_its_gradient_and_not_its_value():
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    switch = seismo.mitigations(model, optimizer)
    plain = language_model_loss(model)
    assert seismo.loss(plain) is plain
    switch.set("z_loss", 0.1)
    logits, loss = model(tokens(), tokens())
    through = seismo.loss(loss)
    assert torch.equal(through, loss)
    through.backward()
    got = [p.grad.clone() for p in model.parameters()]
    optimizer.zero_grad()
    logits, loss = model(tokens(), tokens())
    (loss + 0.1 * torch.logsumexp(logits, -1).square().mean()).backward()
    for a, p in zip(got, model.parameters()):
        assert torch.allclose(a, p.grad, atol=1e-6)


def test_z_loss_leaves_out_targets_that_are_not_counted():
    logits = torch.randn(2, 5, 7, requires_grad=True)
    targets = torch.randint(0, 7, (2, 5))
    targets[1, 2:] = -100
    model = gpt()
    switch = seismo.mitigations(model, torch.optim.SGD(model.parameters(), lr=0.0))
    switch.set("z_loss", 0.5)
    (got,) = torch.autograd.grad(seismo.loss(logits.sum() * 0, logits, targets), logits)
    counted = targets != -100
    penalty = 0.5 * torch.logsumexp(logits, -1)[counted].square().mean()
    (wanted,) = torch.autograd.grad(penalty, logits)
    assert torch.allclose(got, wanted, atol=1e-6)
    switch.set("z_loss", 0)


def backward(model, factor=1.0):
    model.zero_grad()
    (language_model_loss(model) * factor).backward()
    return norm_of([p.grad for p in model.parameters()])


def norm_of(tensors):
    return math.sqrt(sum(float(t.double().square().sum()) for t in tensors if t is not None))


def test_the_gradients_are_clipped_where_the_loop_does_not():
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    switch = seismo.mitigations(model, optimizer)
    before = [p.detach().clone() for p in model.parameters()]
    assert backward(model) > 0.01
    switch.set("grad_clip", 0.01)
    optimizer.step()
    moved = [a - b for a, b in zip(before, model.parameters())]
    assert norm_of(t.detach() for t in moved) == pytest.approx(0.01, rel=1e-3)


def test_the_loops_own_clipping_takes_the_bound_that_a_person_sets():
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    switch = seismo.mitigations(model, optimizer)

    def clipped():
        whole = backward(model)
        told = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        assert float(told) == pytest.approx(whole, rel=1e-5)
        optimizer.step()
        return whole, norm_of(p.grad for p in model.parameters())

    whole, after = clipped()
    assert after == pytest.approx(0.5, rel=1e-3)
    # What the loop clips at is what the menu shows.
    assert switch["grad_clip"] == 0.5
    switch.set("grad_clip", 0.1)
    assert clipped()[1] == pytest.approx(0.1, rel=1e-3)
    switch.set("grad_clip", 0)
    assert clipped()[1] == pytest.approx(whole, rel=1e-5)


def zclip_by_hand(norms):
    """Kumar et al.'s adaptive scaling, in plain numbers."""
    limits, first, mean, variance = [], [], None, None
    for norm in norms:
        if mean is None:
            first.append(norm)
            limits.append(math.inf)
            if len(first) == 25:
                mean = sum(first) / 25
                variance = sum((x - mean) ** 2 for x in first) / 25
            continue
        z = (norm - mean) / (math.sqrt(variance) + 1e-6)
        limit = mean + 2.5 * math.sqrt(variance) / (z / 2.5) if z > 2.5 else math.inf
        entering = min(norm, limit)
        mean = 0.97 * mean + 0.03 * entering
        variance = 0.97 * variance + 0.03 * (entering - mean) ** 2
        limits.append(limit)
    return limits


@pytest.mark.parametrize("loop_clips", [False, True])
def test_zclip_lowers_a_norm_that_stands_out(loop_clips):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    switch = seismo.mitigations(model, optimizer)
    switch.set("zclip", True)
    norms, after = [], []
    for step in range(40):
        norms.append(backward(model, 1 + 0.1 * math.sin(step) + (20 if step in (30, 35) else 0)))
        if loop_clips:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
        optimizer.step()
        after.append(norm_of(p.grad for p in model.parameters()))
    limits = zclip_by_hand(norms)
    assert [math.isfinite(limit) for limit in limits].count(True) >= 2
    for norm, limit, got in zip(norms, limits, after):
        assert got == pytest.approx(min(norm, limit), rel=1e-3)


def test_zclip_is_not_moved_by_a_norm_that_is_no_number():
    from seismo.torch.clipping import ZClip

    clip = ZClip()
    for step in range(30):
        clip.limit(torch.tensor(1 + 0.1 * math.sin(step)))
    before = clip.state()
    clip.limit(torch.tensor(math.nan))
    clip.limit(torch.tensor(math.inf))
    assert clip.state() == before
    again = ZClip()
    again.restore(before)
    assert float(again.limit(torch.tensor(50.0))) == float(clip.limit(torch.tensor(50.0)))


def test_updates_are_clipped_as_stable_adamw_does():
    torch.manual_seed(0)
    model = nn.Linear(6, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, betas=(0.9, 0.99), weight_decay=0.1)
    switch = seismo.mitigations(model, optimizer)
    for step in range(20):
        switch.set("update_clip", 1.0 if step == 19 else 0.0)
        scale = 30.0 if step == 19 else 1.0
        gradients = [torch.randn(p.shape) * scale for p in model.parameters()]
        expected = []
        for p, g in zip(model.parameters(), gradients):
            p.grad = g.clone()
            state = optimizer.state[p]
            if step < 19:
                continue
            t = int(state["step"]) + 1
            m = 0.9 * state["exp_avg"] + 0.1 * g
            v = (0.99 * state["exp_avg_sq"] + 0.01 * g**2) / (1 - 0.99**t)
            rms = (g**2 / v.clamp(min=1e-16)).mean().sqrt()
            assert rms > 2
            rate = 0.1 / max(1.0, float(rms))
            update = m / (1 - 0.9**t) / (v.sqrt() + 1e-8)
            expected.append(p.detach() - rate * 0.1 * p.detach() - rate * update)
        optimizer.step()
    for p, wanted in zip(model.parameters(), expected):
        assert torch.allclose(p.detach(), wanted, atol=1e-6)


def test_another_beta2_makes_no_jump():
    torch.manual_seed(0)
    model = nn.Linear(6, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, betas=(0.9, 0.95), weight_decay=0.0)
    switch = seismo.mitigations(model, optimizer)

    def corrected():
        state = optimizer.state[model.weight]
        beta = optimizer.param_groups[0]["betas"][1]
        return state["exp_avg_sq"] / (1 - beta ** float(state["step"]))

    for _ in range(30):
        for p in model.parameters():
            p.grad = torch.randn(p.shape)
        optimizer.step()
    before = corrected()
    switch.set("adam_beta2", 0.999)
    assert switch["adam_beta2"] == 0.999
    assert torch.allclose(corrected(), before, rtol=1e-5)
    switch.set("adam_beta2", 0.95)
    assert torch.allclose(corrected(), before, rtol=1e-5)


def test_decay_and_epsilon_go_to_the_groups_that_have_them():
    model = nn.Linear(3, 3)
    groups = [
        {"params": [model.weight], "weight_decay": 0.1},
        {"params": [model.bias], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups)
    switch = seismo.mitigations(model, optimizer)
    assert switch["weight_decay"] == 0.1
    switch.set("weight_decay", 0.3)
    switch.set("adam_eps", 1e-12)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.3, 0.0]
    assert [group["eps"] for group in optimizer.param_groups] == [1e-12, 1e-12]
    # Off and on again, the group is still known as one that decays.
    switch.set("weight_decay", 0)
    switch.set("weight_decay", 0.2)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.2, 0.0]


def test_frozen_blocks_stay_as_they_are():
    model = gpt()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    switch = seismo.mitigations(model, optimizer)
    backward(model)
    optimizer.step()
    switch.set("freeze", 2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    backward(model)
    optimizer.step()
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    kept = set(before) - moved
    assert {"transformer.wte.weight"} <= kept
    assert all(
        name.startswith(("transformer.wte", "transformer.h.0", "transformer.h.1")) for name in kept
    )
    assert not any(name.startswith(("transformer.h.0", "transformer.h.1")) for name in moved)
    with pytest.raises(seismo.Refused, match="whole number up to 3"):
        switch.set("freeze", 4)
    switch.set("freeze", 0)
    backward(model)
    optimizer.step()
    assert not torch.equal(model.transformer.wte.weight, before["transformer.wte.weight"])


def test_only_what_has_a_use_is_declared():
    model = nn.Linear(2, 2)
    switch = seismo.mitigations(model, torch.optim.SGD(model.parameters(), lr=0.1))
    assert "adam_beta2" not in switch.settings
    assert "update_clip" not in switch.settings
    assert "freeze" not in switch.settings
    assert "weight_decay" in switch.settings
    everything = set(seismo.mitigations(gpt(), torch.optim.AdamW(gpt().parameters())).settings)
    assert everything == {
        "qk_layernorm", "logit_softcap", "z_loss", "grad_clip", "zclip", "update_clip",
        "lr.multiplier", "weight_decay", "adam_beta2", "adam_eps", "freeze",
    }  # fmt: skip


def trained(model, optimizer, steps, first=0):
    losses = []
    for _step in range(first, first + steps):
        optimizer.zero_grad()
        loss = seismo.loss(language_model_loss(model))
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_a_run_that_is_taken_up_again_goes_on_as_it_would_have(tmp_path):
    def begun():
        model = grown(gpt())
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        return model, optimizer, seismo.mitigations(model, optimizer, blend_steps=10)

    model, optimizer, switch = begun()
    trained(model, optimizer, 3)
    assert "seismo" not in optimizer.state_dict()
    for name, value in (
        ("qk_layernorm", True),
        ("z_loss", 0.01),
        ("grad_clip", 0.5),
        ("zclip", True),
    ):
        switch.set(name, value)
    switch.set("lr.multiplier", 0.5)
    switch.set("adam_beta2", 0.9)
    trained(model, optimizer, 4)
    path = tmp_path / "saved.pt"
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, path)
    expected = trained(model, optimizer, 8)

    again, optimizer, switch = begun()
    trained(again, optimizer, 1)
    saved = torch.load(path, weights_only=True)
    again.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    assert switch["qk_layernorm"] is True
    assert switch["lr.multiplier"] == 0.5
    assert trained(again, optimizer, 8) == expected


def test_a_checkpoint_from_before_a_switch_undoes_it():
    model = grown(gpt())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    switch = seismo.mitigations(model, optimizer, blend_steps=1)
    trained(model, optimizer, 1)
    before = optimizer.state_dict()
    switch.set("qk_layernorm", True)
    switch.set("z_loss", 1.0)
    trained(model, optimizer, 2)
    optimizer.load_state_dict(before)
    assert switch["qk_layernorm"] is False
    assert switch["z_loss"] == 0
    assert switch.change.is_idle


def test_a_person_switches_and_undoes_it(run):
    model = grown(gpt())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    seismo.mitigations(model, optimizer, blend_steps=4)
    seismo.watch(model, optimizer, every=1)
    for step in range(16):
        loss = trained(model, optimizer, 1, step)[0]
        run.log({"loss": loss}, step=step)
        if step == 2:
            run.request("set qk_layernorm on")
        if step == 9:
            run.request("undo")
        run.poll()
    run.finish()
    told = [(e["step"], e["before"], e["after"]) for e in events_of(run.path, "set")]
    told += [(e["step"], e["before"], e["after"]) for e in events_of(run.path, "undo")]
    assert told[0] == (3, False, True)
    largest = [line["metrics"]["attention_logit_max"] for line in steps_of(run.path)]
    # Blended over the steps 3 to 7: |z| is at most √Dh with unit gains.
    assert largest[3] > 8 > math.sqrt(8) + 1e-4 >= largest[7]
    assert largest[9] <= math.sqrt(8) + 1e-4
    assert largest[14] > 8


def test_nothing_keeps_a_model_once_its_run_is_let_go():
    run = seismo.init(name="kept")
    model = gpt()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    run.controls(lr=seismo.multiplier(optimizer))
    switches = seismo.mitigations(model, optimizer, blend_steps=4)
    seismo.watch(model, optimizer, every=1)
    for step in range(3):
        loss = trained(model, optimizer, 1, step)[0]
        run.log({"loss": loss}, step=step)
        run.request("set qk_layernorm on")
        run.poll()
    run.finish()
    kept = weakref.ref(model)
    del run, model, optimizer, switches, loss
    gc.collect()
    assert kept() is None


def test_the_run_is_told_where_a_switch_reaches_nothing(run):
    model = Encoder(need_weights=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    switch = seismo.mitigations(model, optimizer, blend_steps=2)
    switch.set("qk_layernorm", True)
    for _ in range(3):
        encoder_loss(model)
        optimizer.step()
    run.finish()
    texts = [event["text"] for event in events_of(run.path, "note")]
    assert len(texts) == 1
    assert "reaches no attention" in texts[0]


def test_the_run_is_told_where_z_loss_reaches_no_loss(run):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    switch = seismo.mitigations(model, optimizer)
    switch.set("z_loss", 0.1)
    for step in range(4):
        loss = language_model_loss(model)
        (seismo.loss(loss) if step < 2 else loss).backward()
        optimizer.step()
        run.log({"loss": loss}, step=step)
    run.finish()
    (note,) = events_of(run.path, "note")
    assert (note["step"], "z_loss changes nothing" in note["text"]) == (2, True)


def test_compiled_models_take_the_switch_and_are_compiled_once_a_kind():
    import torch._dynamo.testing

    torch._dynamo.reset()
    counter = torch._dynamo.testing.CompileCounter()
    model = grown(gpt())
    compiled = torch.compile(model, backend=counter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    switch = seismo.mitigations(compiled, optimizer, blend_steps=6)
    untouched = language_model_loss(compiled).detach()
    switch.set("qk_layernorm", True)
    assert torch.equal(language_model_loss(compiled), untouched)
    for step in range(1, 8):
        optimizer.step()
        got = language_model_loss(compiled).detach()
        wanted = ByHand(model, weight=min(1, step / 6)).loss(language_model_loss).detach()
        assert float(got) == pytest.approx(float(wanted), abs=1e-5)
    # Without, in between and with: not once for every weight.
    assert counter.frame_count == 3
    switch.set("qk_layernorm", False)


def test_the_stand_ins_are_not_put_into_torchs_own_tables():
    model = gpt()
    seismo.mitigations(model, torch.optim.SGD(model.parameters(), lr=0.0))
    assert F.scaled_dot_product_attention is standins.scaled_dot_product_attention
    assert torch._C._nn.scaled_dot_product_attention is standins._attention
