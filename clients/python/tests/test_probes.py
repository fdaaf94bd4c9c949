"""What ``seismo.watch`` tells, against the same numbers computed by hand."""

import math
import sys

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812
from conftest import events_of, steps_of  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch_models import explicit_entropy, explicit_logits, gpt, tokens  # noqa: E402

import seismo  # noqa: E402
from seismo.torch import standins  # noqa: E402


@pytest.fixture
def calls(monkeypatch):
    """The arguments of every call of attention, as the kernel gets them."""
    seen = []
    original = standins._attention

    def recording(query, key, value, mask=None, dropout=0.0, is_causal=False, **others):
        seen.append((query.detach(), key.detach(), mask, is_causal, others.get("scale")))
        return original(query, key, value, mask, dropout, is_causal, **others)

    monkeypatch.setattr(standins, "_attention", recording)
    return seen


def logits_of(call):
    query, key, mask, is_causal, scale = call
    return explicit_logits(query, key, mask, is_causal, scale)


def values_of(run, step=0):
    run.finish()
    return next(line["metrics"] for line in steps_of(run.path) if line["step"] == step)


def stepped(model, optimizer, compute, run, step=0):
    optimizer.zero_grad()
    loss = compute(model)
    loss.backward()
    optimizer.step()
    run.log({"loss": loss.detach()}, step=step)
    return loss.detach()


def hugging(kind, **options):
    transformers = pytest.importorskip("transformers")
    common = {"vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 2}
    common.update(num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32)
    torch.manual_seed(1)
    config = getattr(transformers, f"{kind}Config")
    tiny = {
        "GPT2": {"vocab_size": 40, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 32},
        "Llama": {**common, "intermediate_size": 48},
        "Mixtral": {**common, "intermediate_size": 48, "num_local_experts": 4},
        "Olmoe": {**common, "intermediate_size": 24, "num_experts": 8, "num_experts_per_tok": 3},
        "Qwen3Moe": {
            **common, "moe_intermediate_size": 24, "num_experts": 8, "num_experts_per_tok": 2,
            "head_dim": 8, "decoder_sparse_step": 1, "mlp_only_layers": [],
        },
        "DeepseekV3": {
            **common, "num_key_value_heads": 4, "moe_intermediate_size": 24,
            "n_routed_experts": 8, "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1,
            "first_k_dense_replace": 1, "q_lora_rank": 16, "kv_lora_rank": 16,
            "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8, "n_shared_experts": 1,
            "intermediate_size": 48,
        },
    }  # fmt: skip
    name = "GPT2LMHeadModel" if kind == "GPT2" else f"{kind}ForCausalLM"
    built = config(**tiny[kind], **{"attn_implementation": "sdpa", **options})
    return getattr(transformers, name)(built).train()


def language_loss(model):
    batch = tokens(vocabulary=40)
    return model(input_ids=batch, labels=batch).loss


LANGUAGE_MODELS = ["GPT2", "Llama", "Mixtral", "Olmoe", "Qwen3Moe", "DeepseekV3"]


@pytest.mark.parametrize("kind", LANGUAGE_MODELS)
def test_attention_logits_of_transformers_are_exact(kind, run, calls):
    model = hugging(kind)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    seismo.watch(model, optimizer)
    stepped(model, optimizer, language_loss, run)
    values = values_of(run)
    assert len(calls) == 2
    for layer, call in enumerate(calls):
        logits = logits_of(call)
        assert values[f"attention_logit_max/{layer}"] == pytest.approx(
            float(logits.max()), rel=1e-5
        )
        assert values[f"attention_entropy/{layer}"] == pytest.approx(
            float(explicit_entropy(logits)), rel=1e-4
        )
    assert values["attention_logit_max"] == max(
        values["attention_logit_max/0"], values["attention_logit_max/1"]
    )


@pytest.mark.parametrize("kind", ["Mixtral", "Olmoe", "Qwen3Moe", "DeepseekV3"])
def test_expert_loads_are_those_of_the_routers(kind, run):
    model = hugging(kind)
    chosen, logits = {}, {}
    for layer, block in enumerate(model.model.layers):
        mixture = getattr(block, "mlp", None)
        if not hasattr(mixture, "experts"):
            continue

        def keep(module, given, output, layer=layer):
            logits[layer] = next(t for t in output if t.is_floating_point()).detach()
            chosen[layer] = next(t for t in output if not t.is_floating_point())

        mixture.gate.register_forward_hook(keep)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    seismo.watch(model, optimizer)
    stepped(model, optimizer, language_loss, run)
    values = values_of(run)
    assert chosen
    for layer, indices in chosen.items():
        experts = logits[layer].shape[-1]
        counts = torch.bincount(indices.flatten(), minlength=experts).double()
        load = counts / counts.sum()
        told = [values[f"expert_load/{layer}/{expert}"] for expert in range(experts)]
        assert told == pytest.approx(load.tolist(), abs=1e-6)
        assert values[f"expert_max_violation/{layer}"] == pytest.approx(
            float(load.max() * experts - 1), abs=1e-5
        )
        assert values[f"expert_load_cv/{layer}"] == pytest.approx(
            float(load.std(correction=0) * experts), abs=1e-5
        )
        if kind == "DeepseekV3":
            scores = logits[layer].double().sigmoid()
            shares = scores / scores.sum(-1, keepdim=True)
        else:
            shares = torch.softmax(logits[layer].double(), -1)
        entropy = -(shares * shares.log()).sum(-1).mean()
        assert values[f"router_entropy/{layer}"] == pytest.approx(float(entropy), rel=1e-4)


def test_routers_that_return_logits_alone_are_counted_too(run):
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.top_k = 2
            self.gate = nn.Linear(8, 4, bias=False)
            self.experts = nn.ModuleList(nn.Linear(8, 8) for _ in range(4))

        def forward(self, x):
            shares, chosen = self.gate(x).softmax(-1).topk(self.top_k, dim=-1)
            return x + sum(
                (shares * (chosen == i)).sum(-1, keepdim=True) * expert(x)
                for i, expert in enumerate(self.experts)
            )

    torch.manual_seed(0)
    model = nn.Sequential(nn.ModuleList([Mixture(), Mixture()]))
    model.forward = lambda x: model[0][1](model[0][0](x))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer)
    x = torch.randn(5, 8)
    counts = torch.bincount(model[0][0].gate(x).topk(2, -1).indices.flatten(), minlength=4)
    stepped(model, optimizer, lambda m: m(x).square().mean(), run)
    values = values_of(run)
    told = [values[f"expert_load/0/{expert}"] for expert in range(4)]
    assert told == pytest.approx((counts / counts.sum()).tolist())


def language_model_loss(model):
    batch = tokens()
    return model(batch, batch)[1]


def test_gradients_updates_and_activations_are_exact(run, calls):
    model = gpt()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    streams = []
    for block in model.transformer.h:
        block.register_forward_hook(lambda _, __, output: streams.append(output.detach()))
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    seismo.watch(model, optimizer)
    optimizer.zero_grad()
    logits, loss = model(tokens(), tokens())
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters()}
    # The norm is that from before the clipping.
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    optimizer.step()
    run.log({"loss": loss}, step=0)
    after = {name: p.detach().clone() for name, p in model.named_parameters()}
    values = values_of(run)

    def norm(tensors):
        return math.sqrt(sum(float(t.double().square().sum()) for t in tensors))

    assert values["grad_norm"] == pytest.approx(norm(gradients.values()), rel=1e-5)
    for layer in range(3):
        names = [name for name in gradients if name.startswith(f"transformer.h.{layer}.")]
        count = sum(gradients[name].numel() for name in names)
        gradient = norm(gradients[name] for name in names)
        update = norm(after[name] - before[name] for name in names)
        weights = norm(after[name] for name in names)
        assert values[f"grad_norm/{layer}"] == pytest.approx(gradient, rel=1e-5)
        assert values[f"grad_rms/L{layer}"] == pytest.approx(gradient / count**0.5, rel=1e-5)
        assert values[f"update_rms/L{layer}"] == pytest.approx(update / count**0.5, rel=1e-4)
        assert values[f"param_norm/L{layer}"] == pytest.approx(weights, rel=1e-5)
        assert values[f"update_ratio/{layer}"] == pytest.approx(update / weights, rel=1e-4)
        rms = streams[layer].double().square().mean().sqrt()
        assert values[f"activation_rms/{layer}"] == pytest.approx(float(rms), rel=1e-5)
    whole = norm(after[n] - before[n] for n in after) / norm(after.values())
    assert values["update_ratio"] == pytest.approx(whole, rel=1e-4)
    assert {"grad_norm/wte", "grad_norm/ln_f", "grad_norm/lm_head"} <= set(values)
    wide = logits.detach().double()
    assert values["log_z"] == pytest.approx(float(torch.logsumexp(wide, -1).mean()), rel=1e-5)
    assert values["output_logit_mean"] == pytest.approx(float(wide.mean()), rel=1e-4)


def test_a_large_tensors_update_is_taken_from_a_sample(run, monkeypatch):
    from seismo.torch import gradients

    monkeypatch.setattr(gradients, "SAMPLED", 1 << 10)
    torch.manual_seed(0)
    model = nn.Sequential(nn.ModuleList([nn.Sequential(nn.Linear(256, 256))]))
    model.forward = lambda x: model[0][0](x)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    seismo.watch(model, optimizer)
    x = torch.randn(64, 256)
    before = model[0][0][0].weight.detach().clone()
    stepped(model, optimizer, lambda m: m(x).square().sum(), run)
    update = (model[0][0][0].weight.detach() - before).square().mean().sqrt()
    assert values_of(run)["update_rms/L0"] == pytest.approx(float(update), rel=0.1)


def test_accumulated_batches_are_one_step(run, calls):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer)
    entropies, maxima = [], []
    for part in range(3):
        batch = tokens(part)
        model(batch, batch)[1].backward()
        logits = logits_of(calls[-3])
        entropies.append(float(explicit_entropy(logits)))
        maxima.append(float(logits.max()))
    with torch.no_grad():
        # What a loop evaluates meanwhile is no part of the step.
        model.eval()
        model(tokens(9) * 0)
        model.train()
    optimizer.step()
    run.log({}, step=0)
    values = values_of(run)
    assert values["attention_logit_max/0"] == pytest.approx(max(maxima), rel=1e-5)
    assert values["attention_entropy/0"] == pytest.approx(sum(entropies) / 3, rel=1e-4)


def test_every_so_manieth_step_is_probed(run):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer, every=4)
    for step in range(10):
        stepped(model, optimizer, language_model_loss, run, step)
    run.finish()
    told = [line["step"] for line in steps_of(run.path) if "grad_norm" in line["metrics"]]
    assert told == [0, 4, 8]


def test_where_many_steps_make_a_log_its_last_one_is_probed(run, calls):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer, every=20)
    last = {}
    for step in range(45):
        optimizer.zero_grad()
        calls.clear()
        loss = model(tokens(step), tokens(step))[1]
        loss.backward()
        optimizer.step()
        if step % 5 == 4:
            last[step] = float(logits_of(calls[0]).max())
            run.log({"loss": loss}, step=step)
    run.finish()
    probed = {
        line["step"]: line["metrics"]["attention_logit_max/0"]
        for line in steps_of(run.path)
        if "attention_logit_max/0" in line["metrics"]
    }
    # The first log has what the first steps showed; then every 20th step is passed once.
    assert list(probed)[1:] == [24, 44]
    for step in (24, 44):
        assert probed[step] == pytest.approx(last[step], rel=1e-5)


def test_probes_change_no_bit_of_the_training():
    def trained(is_watched):
        model = gpt()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        run = seismo.init(name="bits")
        watching = seismo.watch(model, optimizer, every=2) if is_watched else None
        for step in range(6):
            optimizer.zero_grad()
            loss = model(tokens(step), tokens(step))[1]
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            run.log({"loss": loss}, step=step)
        run.finish()
        if watching is not None:
            watching.remove()
        return [p.detach().clone() for p in model.parameters()]

    assert all(torch.equal(a, b) for a, b in zip(trained(False), trained(True)))


def test_between_probes_no_hook_is_left_on_the_model(run):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watching = seismo.watch(model, optimizer, every=3)
    assert any(module._forward_hooks for module in model.modules())
    stepped(model, optimizer, language_model_loss, run, 0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    watching.remove()


def test_an_optimizer_that_is_not_named_is_found(run):
    model = gpt()
    seismo.watch(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    stepped(model, optimizer, language_model_loss, run)
    values = values_of(run)
    assert values["update_ratio"] > 0
    assert values["grad_norm"] > 0


def test_two_optimizers_are_one_step(run):
    model = gpt()
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizers = [torch.optim.SGD(matrices, lr=0.1), torch.optim.AdamW(vectors, lr=0.1)]
    before = [p.detach().clone() for p in model.parameters()]
    seismo.watch(model, optimizers)
    language_model_loss(model).backward()
    for optimizer in optimizers:
        optimizer.step()
    run.log({}, step=0)
    after = [p.detach().clone() for p in model.parameters()]
    update = sum(float((a - b).double().square().sum()) for a, b in zip(after, before)) ** 0.5
    norm = sum(float(a.double().square().sum()) for a in after) ** 0.5
    assert values_of(run)["update_ratio"] == pytest.approx(update / norm, rel=1e-4)


class Encoder(nn.Module):
    def __init__(self, need_weights=False):
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleDict({"attention": self.made()}) for _ in range(2))
        self.need_weights = need_weights

    @staticmethod
    def made():
        return nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x, padding):
        for layer in self.layers:
            x = (
                x
                + layer["attention"](
                    x, x, x, key_padding_mask=padding, need_weights=self.need_weights
                )[0]
            )
        return x


def padded():
    padding = torch.zeros(3, 7, dtype=torch.bool)
    padding[1, 5:] = True
    return torch.randn(3, 7, 16, generator=torch.Generator().manual_seed(0)), padding


def test_multihead_attention_is_measured(run, calls):
    torch.manual_seed(0)
    model = Encoder()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer, blocks=[d["attention"] for d in model.layers])
    stepped(model, optimizer, lambda m: m(*padded()).square().mean(), run)
    values = values_of(run)
    assert len(calls) == 2
    for layer, call in enumerate(calls):
        logits = logits_of(call)
        assert values[f"attention_logit_max/{layer}"] == pytest.approx(
            float(logits.max()), rel=1e-5
        )
        assert values[f"attention_entropy/{layer}"] == pytest.approx(
            float(explicit_entropy(logits)), rel=1e-4
        )


def test_attention_that_hands_out_its_weights_is_said_to_be_left_out(run):
    model = Encoder(need_weights=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer, every=1)
    for step in range(2):
        stepped(model, optimizer, lambda m: m(*padded()).square().mean(), run, step)
    run.finish()
    texts = [event["text"] for event in events_of(run.path, "note")]
    assert len([text for text in texts if "no attention logits" in text]) == 1
    assert "need_weights=True" in texts[0]


def test_an_eager_implementation_is_said_to_be_left_out(run):
    model = hugging("Llama", attn_implementation="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer)
    stepped(model, optimizer, language_loss, run)
    values = values_of(run)
    assert "attention_logit_max" not in values
    assert {"grad_norm/1", "activation_rms/1", "log_z"} <= set(values)
    assert "an eager or a flash-attn implementation" in events_of(run.path, "note")[0]["text"]


def test_a_sample_of_the_logits_is_said_to_be_one(run, calls):
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer, every=1, budget=4 * 4 * 16 * 16 // 2 // 4)
    for step in range(2):
        stepped(model, optimizer, language_model_loss, run, step)
    largest = values_of(run)["attention_logit_max/0"]
    assert largest == pytest.approx(float(logits_of(calls[0])[:, :, ::4].max()), rel=1e-5)
    (note,) = events_of(run.path, "note")
    assert "every 4th query is looked at" in note["text"]


def test_transformer_encoder_layers_are_measured(run, calls):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True)
    model = nn.TransformerEncoder(layer, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer)
    x, padding = padded()
    stepped(model, optimizer, lambda m: m(x, src_key_padding_mask=padding).square().mean(), run)
    values = values_of(run)
    assert len(calls) == 2
    for number, call in enumerate(calls):
        assert values[f"attention_logit_max/{number}"] == pytest.approx(
            float(logits_of(call).max()), rel=1e-5
        )


def test_a_file_that_imported_attention_by_name_is_reached(run, tmp_path, monkeypatch):
    (tmp_path / "by_name.py").write_text(
        "from torch.nn.functional import scaled_dot_product_attention as attention\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    standins.remove()
    import by_name

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, x):
            return by_name.attention(x * self.scale, x, x)

    assert by_name.attention is standins._attention
    model = Model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer)
    x = torch.randn(1, 2, 5, 4)
    stepped(model, optimizer, lambda m: m(x).square().mean(), run)
    expected = float(explicit_logits(x, x).max())
    # A model without blocks is one layer.
    assert values_of(run)["attention_logit_max/0"] == pytest.approx(expected, rel=1e-5)
    standins.remove()
    assert by_name.attention is standins._attention
    assert F.scaled_dot_product_attention is standins._attention
    del sys.modules["by_name"]


def test_what_is_computed_again_going_backward_is_not_counted_twice(run):
    from torch.utils.checkpoint import checkpoint

    class Checkpointed(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, batch, targets):
            x = self.inner.transformer.wte(batch)
            for block in self.inner.transformer.h:
                x = checkpoint(block, x, use_reentrant=False)
            logits = self.inner.lm_head(self.inner.transformer.ln_f(x))
            return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    model = Checkpointed(gpt())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watching = seismo.watch(model, optimizer)
    loss = language_model_loss(model)
    loss.backward()
    assert all(len(found) == 1 for found in watching._probe._attention.values())
    assert all(len(found) == 1 for found in watching._probe._activations.values())


def test_loss_scale_and_skipped_steps_are_told(run):
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1000)
    seismo.watch(model, optimizer, every=1, scaler=scaler)
    for step in range(3):
        optimizer.zero_grad()
        loss = model(torch.ones(1, 2)).sum() * (math.inf if step == 1 else 1.0)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        run.log({}, step=step)
    run.finish()
    told = [line["metrics"] for line in steps_of(run.path)]
    assert [metrics["loss_scale"] for metrics in told] == [8, 4, 4]
    assert [metrics["skipped_steps"] for metrics in told] == [0, 1, 1]
    # Seen by the optimizer as they are, without the scale.
    assert told[0]["grad_norm"] == pytest.approx(math.sqrt(6))


def test_compiled_models_are_measured_uncompiled(run):
    model = gpt()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(compiled, optimizer, every=2)
    for step in range(5):
        stepped(compiled, optimizer, language_model_loss, run, step)
    run.finish()
    told = {line["step"]: line["metrics"] for line in steps_of(run.path)}
    assert [step for step in told if "attention_logit_max/2" in told[step]] == [0, 2, 4]
    assert {"activation_rms/2", "log_z", "grad_norm/2", "update_ratio/2"} <= set(told[4])


def test_only_rank_0_and_a_run_that_is_on_measure(monkeypatch):
    monkeypatch.setenv("SEISMO", "off")
    run = seismo.init(name="off")
    model = gpt()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seismo.watch(model, optimizer)
    assert not any(module._forward_hooks for module in model.modules())
    stepped(model, optimizer, language_model_loss, run)


def test_without_a_run_it_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"call seismo\.init first"):
        seismo.watch(gpt())


class Waits(TorchDispatchMode):
    """Counts what makes a program wait for its device: a value read, a size that data decides."""

    NAMES = ("_local_scalar_dense", "nonzero", "equal", "is_nonzero", "masked_select", "unique",
             "bincount", "_unique2", "repeat_interleave", "allclose")  # fmt: skip

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.__name__.split(".")[0]
        if name in self.NAMES:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("kind", ["GPT2", "Mixtral", "DeepseekV3"])
def test_a_probed_step_waits_for_no_device(kind, run, monkeypatch):
    from seismo.torch.readings import Readings

    # What stands on a CPU is read at once; a device's values go to the thread.
    monkeypatch.setattr(Readings, "taken", lambda self: {})

    def waits(is_watched):
        model = hugging(kind)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if is_watched:
            watching = seismo.watch(model, optimizer, every=1)
            switches = seismo.mitigations(model, optimizer, blend_steps=2)
            for name, value in {
                "qk_layernorm": True, "logit_softcap": 20.0, "z_loss": 0.1, "zclip": True,
                "grad_clip": 0.5, "freeze": 1,
            }.items():  # fmt: skip
                switches.set(name, value)
        with Waits() as counted:
            for step in range(4):
                optimizer.zero_grad()
                loss = seismo.loss(language_loss(model))
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                if is_watched:
                    watching._gathered(step)
        return counted.found

    without = waits(False)
    assert waits(True) == without


def test_values_on_a_device_are_read_later_and_together():
    """Stands in for a device: nothing is read before the values are asked for."""
    from seismo.torch.readings import Readings
    from seismo.values import Deferred

    class Vector:
        device = torch.device("meta")
        reads = 0

        def to(self, device, non_blocking):
            assert non_blocking
            return self

        def tolist(self):
            Vector.reads += 1
            return [1.0, 2.0]

    from seismo.torch import readings

    arrival = readings._Arrival.__new__(readings._Arrival)
    arrival.__dict__.update(
        _copy=Vector(), _source=None, _wait=lambda: None, _values=None,
        _lock=__import__("threading").Lock(),
    )  # fmt: skip
    values = [Deferred(readings._Place(arrival, index)) for index in range(2)]
    assert Vector.reads == 0
    assert [value.read() for value in values] == [1.0, 2.0]
    assert Vector.reads == 1
    assert Readings().taken() == {}
