"""transformers loads what mergeAdapter wrote: the adapter's logits, and the same text."""

import json

import pytest
import torch
from conftest import VARIANTS, as_table, log_probs
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(folder, **options):
    model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    return model.eval()


@pytest.mark.parametrize("variant", VARIANTS)
def test_merged_model_gives_the_adapters_logits_and_text(dump, converted, variant):
    said = converted["merges"][variant]
    model, ids = load(said["merged"]), dump["shared"]["ids"]
    assert model.dtype == torch.float32
    torch.testing.assert_close(log_probs(model, ids), as_table(dump[variant]["logProbs"], ids), atol=1e-4, rtol=0)
    tokenizer = AutoTokenizer.from_pretrained(said["merged"])
    for prompt, written in zip(converted["prompts"], said["written"], strict=True):
        assert len(written) > 20
        prompt_ids = tokenizer(prompt, return_tensors="pt")
        with torch.no_grad():
            theirs = model.generate(**prompt_ids, max_new_tokens=64, do_sample=False)[0, prompt_ids.input_ids.shape[1] :]
        end = [tokenizer.eos_token_id] if len(written) < 64 else []
        assert theirs.tolist() == written + end


def test_shards_are_transformers_own(out, converted):
    folder = out / "merged" / "all_rslora"
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert len(files) > 2 and files == {path.name for path in folder.glob("*.safetensors")}
    assert all((folder / file).stat().st_size < 1.1e6 for file in files)
    assert (out / "merged" / "qv" / "model.safetensors").exists()


def test_golden_checkpoints_merge_to_the_adapters_logits(converted):
    assert len(converted["tiny"]) == 28
    for case in converted["tiny"]:
        model = load(f"{case['folder']}/float32")
        assert model.dtype == torch.float32
        ours = as_table(case["logProbs"], case["ids"])
        torch.testing.assert_close(log_probs(model, case["ids"]), ours, atol=1e-4, rtol=0)


def test_kept_dtype_is_float32_rounded_once(converted):
    kept = set()
    for case in converted["tiny"]:
        exact = load(f"{case['folder']}/float32").state_dict()
        model = load(f"{case['folder']}/keep")
        kept.add(model.dtype)
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, exact[name].to(tensor.dtype)), name
    assert kept == {torch.float32, torch.bfloat16, torch.float16}


def test_merge_is_peft_arithmetic(out, converted):
    """W + scale B A with PyTorch's own product, of every adapted module."""
    folder = out / "all_rslora" / "final_model"
    config = json.loads((folder / "adapter_config.json").read_text())
    scale = config["lora_alpha"] / config["r"] ** 0.5
    adapter = load_file(folder / "adapter_model.safetensors")
    base = load("models/sft_specialist/final_model").state_dict()
    merged = load(converted["merges"]["all_rslora"]["merged"]).state_dict()
    names = {key.removeprefix("base_model.model.").rsplit(".lora_", 1)[0] for key in adapter}
    for name in base:
        module = name.removesuffix(".weight")
        wanted = base[name]
        if module in names:
            down, up = (adapter[f"base_model.model.{module}.lora_{half}.weight"] for half in "AB")
            wanted = wanted + scale * up @ down
        torch.testing.assert_close(merged[name], wanted, atol=1e-6, rtol=0)
