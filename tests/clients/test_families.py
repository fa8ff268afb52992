"""PEFT reads our adapters of each family, transformers the weights that we trained, and both give our logits."""

import json
import subprocess
import warnings

import pytest
import torch
from conftest import DENO_COMMAND, ROOT, as_table, log_probs
from peft import PeftModel
from transformers import AutoModelForCausalLM

FAMILIES = ["llama3_rope", "qwen2", "qwen2_window", "qwen3", "mistral", "gpt2", "gemma3", "gemma3_seeing"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What dump_families.ts leaves."""
    folder = tmp_path_factory.mktemp("families")
    command = [*DENO_COMMAND, "run", "-A", "-q", "tests/clients/dump_families.ts", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return folder


def load(path):
    model, loading = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    return model.eval()


def tables(folder, family) -> tuple[list[int], dict[str, torch.Tensor]]:
    dump = json.loads((folder / "families.json").read_text())
    assert sorted(dump) == sorted(FAMILIES), "each family that is dumped is tested"
    ids = dump[family]["ids"]
    return ids, {way: as_table(numbers, ids) for way, numbers in dump[family]["logProbs"].items()}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("way", ["default_targets", "all_rslora"])
def test_adapter_gives_our_logits(folder, family, way):
    ids, ours = tables(folder, family)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # PEFT only warns of keys and of fan_in_fan_out
        model = PeftModel.from_pretrained(load(folder / family / "base"), folder / family / way).eval()
    assert (ours[way] - ours["base"]).abs().max() > 0.1, "an adapter that does nothing would agree with anything"
    torch.testing.assert_close(log_probs(model, ids), ours[way], atol=1e-4, rtol=0)
    with model.disable_adapter():
        torch.testing.assert_close(log_probs(model, ids), ours["base"], atol=1e-4, rtol=0)
    torch.testing.assert_close(log_probs(model.merge_and_unload(), ids), ours[way], atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "gemma3_seeing"])
def test_trained_weights_give_our_logits(folder, family):
    ids, ours = tables(folder, family)
    assert (ours["weights"] - ours["base"]).abs().max() > 0.1
    torch.testing.assert_close(log_probs(load(folder / family / "weights"), ids), ours["weights"], atol=1e-4, rtol=0)
