"""Makes tests/golden/tiny: random Llamas of a few thousand parameters, one for each feature, with the
numbers that any correct implementation must give for them.

    python tests/golden/make_tiny_models.py      (torch 2.15, transformers 5.23, peft 0.21)

Each folder is a checkpoint as transformers saves it, two adapters as PEFT saves them, golden.json
(token ids, log-probabilities, losses, generated tokens) and golden.safetensors (logits, gradients).
The numbers are the float64 oracle's; nothing is written unless transformers and PEFT agree in
float32 and a finite difference agrees with the gradients.
"""

import json
import platform
import re
import shutil
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

import reference_llama as oracle

ROOT = Path(__file__).parent / "tiny"
BETA = 0.1
BOS, EOS, VOCABULARY = 1, 2, 64

COMMON = dict(
    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=4, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=BOS, eos_token_id=EOS,
)
MODELS = {
    "mha_tied": dict(tie_word_embeddings=True),
    "gqa_free_head": dict(hidden_size=24, num_attention_heads=6, num_key_value_heads=2, rope_theta=100000.0),
    "biases": dict(attention_bias=True, mlp_bias=True, num_key_value_heads=2, rms_norm_eps=1e-6),
    "wide_heads": dict(num_attention_heads=2, num_key_value_heads=1, head_dim=12, tie_word_embeddings=True),
    "bf16_sharded": dict(dtype="bfloat16", num_key_value_heads=2),
    "f16": dict(dtype="float16", num_hidden_layers=3, num_key_value_heads=1),
}
# How transformers 4 wrote a config.json, and how most checkpoints that exist are written.
OLD_STYLE = {"gqa_free_head", "f16"}
ADAPTERS = {
    "adapter_qv": dict(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"]),
    "adapter_all": dict(r=2, lora_alpha=3, target_modules="all-linear", use_rslora=True),
}


def make_checkpoint(folder: Path, options: dict) -> None:
    options = dict(options)
    dtype = getattr(torch, options.pop("dtype", "float32"))
    theta = options.pop("rope_theta", 10000.0)
    rope = {"rope_type": "default", "rope_theta": theta}
    model = LlamaForCausalLM(LlamaConfig(**{**COMMON, **options}, rope_parameters=rope))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2:
                weight.normal_(std=1.5 * weight.shape[1] ** -0.5)
            elif name.endswith("bias"):
                weight.normal_(std=0.3)
            else:
                weight.normal_(mean=1.0, std=0.3)
    size = sum(p.numel() for p in model.parameters()) * dtype.itemsize
    shard = f"{int(size * 0.6 / 1000)}KB" if "sharded" in folder.name else "1GB"
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink()
    if folder.name in OLD_STYLE:
        config = json.loads((folder / "config.json").read_text())
        config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
        config["torch_dtype"] = config.pop("dtype")
        del config["head_dim"]
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def make_pairs() -> list[dict]:
    """Four ways in which two responses can relate; a response ends with EOS."""
    draw = lambda n: torch.randint(3, VOCABULARY, (n,)).tolist()
    start, long = draw(4), draw(6)
    return [
        {"prompt": [BOS, *draw(6)], "chosen": [*start, *draw(4), EOS], "rejected": [*start, *draw(3), EOS]},
        {"prompt": [BOS, *draw(9)], "chosen": [3, *draw(5), EOS], "rejected": [4, *draw(7), EOS]},
        {"prompt": [BOS, *draw(3)], "chosen": [*long, EOS], "rejected": [*long[:3], EOS]},
        {"prompt": [BOS], "chosen": [EOS], "rejected": [*draw(2), EOS]},
    ]


def make_adapter(folder: Path, base: LlamaForCausalLM, options: dict) -> peft.PeftModel:
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_(std=0.3 if "lora_B" in name else weight.shape[1] ** -0.5)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = f"tests/golden/tiny/{folder.parent.name}"
    config["target_modules"] = sorted(config["target_modules"])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    return model


def load_oracle(folder: Path) -> tuple[dict, dict]:
    weights = {}
    for file in sorted(folder.glob("model*.safetensors")):
        weights |= {name: tensor.double() for name, tensor in load_file(file).items()}
    return weights, json.loads((folder / "config.json").read_text())


def load_oracle_adapter(folder: Path) -> oracle.Adapter:
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    factors = {name.removeprefix("base_model.model."): tensor.double() for name, tensor in tensors.items()}
    scale = config["lora_alpha"] / (config["r"] ** 0.5 if config["use_rslora"] else config["r"])
    return oracle.Adapter(factors, scale)


def client_log_probs(model, pairs) -> tuple[torch.Tensor, torch.Tensor]:
    """What transformers or PEFT say, [B] each."""
    def one(pair, key):
        ids = pair["prompt"] + pair[key]
        scores = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        rows = torch.arange(len(pair["prompt"]) - 1, len(ids) - 1)
        return scores[rows, torch.tensor(pair[key])].sum()
    return tuple(torch.stack([one(pair, key) for pair in pairs]) for key in ("chosen", "rejected"))


def agree(ours: torch.Tensor, theirs: torch.Tensor, what: str, relative=2e-5) -> None:
    error = ((ours - theirs.double()).norm() / ours.norm()).item()
    assert error < relative, f"{what}: the oracle and the client are {error} apart"


def as_json(log_probs) -> dict:
    return dict(zip(("chosen", "rejected"), (side.tolist() for side in log_probs)))


def adapter_numbers(folder: Path, client: peft.PeftModel, pairs, weights, config, reference) -> tuple[dict, dict]:
    adapter = load_oracle_adapter(folder)
    for factor in adapter.factors.values():
        factor.requires_grad_(True)
    loss = lambda: oracle.dpo_loss(oracle.pair_log_probs(pairs, weights, config, adapter), reference, BETA).mean()
    oracle.check_slope(loss, list(adapter.factors.values()))
    gradients = dict(zip(adapter.factors, torch.autograd.grad(loss(), list(adapter.factors.values()))))

    theirs = client_log_probs(client, pairs)
    oracle.dpo_loss(theirs, [side.float() for side in reference], BETA).mean().backward()
    for name, weight in client.named_parameters():
        if "lora_" in name:
            own = name.removeprefix("base_model.model.").replace(".default", "")
            agree(gradients[own], weight.grad, f"{folder} gradient of {own}", relative=1e-4)
    policy = [side.detach() for side in oracle.pair_log_probs(pairs, weights, config, adapter)]
    for ours, side in zip(policy, theirs):
        agree(ours, side.detach(), f"{folder} log-probabilities")
    numbers = {
        "scale": adapter.scale,
        "logProbs": as_json(policy),
        "losses": oracle.dpo_loss(policy, reference, BETA).tolist(),
        "loss": loss().item(),
        "rewards": as_json([BETA * (p - r) for p, r in zip(policy, reference)]),
        "greedy": oracle.greedy(pairs[0]["prompt"], 12, weights, config, adapter)[0],
    }
    return numbers, {f"{folder.name}.{name}": gradient for name, gradient in gradients.items()}


def sft_numbers(client, pairs, weights, config) -> tuple[float, dict]:
    """Mean negative log-likelihood of a chosen token over all pairs, and its gradient for every weight."""
    count = sum(len(pair["chosen"]) for pair in pairs)
    for weight in weights.values():
        weight.requires_grad_(True)
    loss = lambda: -oracle.pair_log_probs(pairs, weights, config)[0].sum() / count
    oracle.check_slope(loss, list(weights.values()))
    gradients = dict(zip(weights, torch.autograd.grad(loss(), list(weights.values()))))
    for weight in weights.values():
        weight.requires_grad_(False)
    (-client_log_probs(client, pairs)[0].sum() / count).backward()
    for name, weight in client.named_parameters():
        agree(gradients[name], weight.grad, f"SFT gradient of {name}", relative=1e-4)
    return loss().item(), {f"sft.{name}": gradient for name, gradient in gradients.items()}


def make(name: str, options: dict, seed: int) -> float:
    """Makes one folder; returns the smallest lead in its greedy tokens."""
    torch.manual_seed(seed)
    folder = ROOT / name
    shutil.rmtree(folder, ignore_errors=True)
    make_checkpoint(folder, options)
    pairs = make_pairs()
    load = lambda: LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    weights, config = load_oracle(folder)
    scores = oracle.logits(pairs[0]["prompt"] + pairs[0]["chosen"], weights, config)
    client = load()
    agree(scores, client(torch.tensor([pairs[0]["prompt"] + pairs[0]["chosen"]])).logits[0].detach(), f"{name} logits")
    reference = oracle.pair_log_probs(pairs, weights, config)
    float32 = [side.detach() for side in client_log_probs(client, pairs)]
    tokens, lead = oracle.greedy(pairs[0]["prompt"], 12, weights, config)
    loss, tensors = sft_numbers(client, pairs, weights, config)
    golden = {
        "madeBy": "tests/golden/make_tiny_models.py",
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__,
            "transformers": transformers.__version__, "peft": peft.__version__,
        },
        "seed": seed,
        "beta": BETA,
        "pairs": pairs,
        "logProbs": as_json(reference),
        "logProbsOfTransformersInFloat32": as_json(float32),
        "logitsOf": "pair 0, prompt + chosen",
        "greedy": {"prompt": pairs[0]["prompt"], "tokens": tokens},
        "sftLoss": loss,
    }
    tensors["logits"] = scores
    for adapter, adapter_options in ADAPTERS.items():
        client = make_adapter(folder / adapter, load(), adapter_options)
        golden[adapter], more = adapter_numbers(folder / adapter, client, pairs, weights, config, reference)
        tensors |= more
    text = re.sub(r"\[[^\[\]{}]*\]", lambda list_: " ".join(list_[0].split()), json.dumps(golden, indent=2))
    (folder / "golden.json").write_text(text + "\n")
    save_file({key: value.detach().float().contiguous() for key, value in tensors.items()}, folder / "golden.safetensors")
    return lead


def main() -> None:
    torch.set_num_threads(2)
    for index, (name, options) in enumerate(MODELS.items()):
        seed = 100 * index
        # A tie in the greedy tokens would make rounding decide: take the first seed without one.
        while (lead := make(name, options, seed)) < 0.02:
            seed += 1
        size = sum(f.stat().st_size for f in (ROOT / name).rglob("*") if f.is_file())
        print(f"{name}: seed {seed}, smallest greedy lead {lead:.3f} nats, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
