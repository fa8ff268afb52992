"""PEFT reads our adapters from either file and gives our logits."""

import json
import shutil
import warnings

import pytest
import torch
from conftest import VARIANTS, as_table, log_probs
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

FILES = ["adapter_model.safetensors", "adapter_model.bin"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kept", FILES)
def test_adapter_gives_our_logits(dump, model_path, out, tmp_path, variant, kept):
    folder = tmp_path / "final_model"
    shutil.copytree(out / variant / "final_model", folder)
    for file in FILES:
        if file != kept:
            (folder / file).unlink()
    base = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # PEFT only warns of keys that it doesn't find
        model = PeftModel.from_pretrained(base, folder).eval()
    ids = dump["shared"]["ids"]
    ours, reference = as_table(dump[variant]["logProbs"], ids), as_table(dump["shared"]["logProbs"], ids)
    assert (ours - reference).abs().max() > 0.1, "an adapter that does nothing would agree with anything"
    torch.testing.assert_close(log_probs(model, ids), ours, atol=1e-4, rtol=0)
    with model.disable_adapter():
        torch.testing.assert_close(log_probs(model, ids), reference, atol=1e-4, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_merged_adapter_gives_our_logits(dump, model_path, out, variant):
    base = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
    merged = PeftModel.from_pretrained(base, out / variant / "final_model").merge_and_unload()
    ids = dump["shared"]["ids"]
    torch.testing.assert_close(log_probs(merged, ids), as_table(dump[variant]["logProbs"], ids), atol=1e-4, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_bin_holds_the_tensors_of_safetensors(out, variant):
    folder = out / variant / "final_model"
    expected = load_file(folder / FILES[0])
    found = torch.load(folder / FILES[1], weights_only=True)
    assert found.keys() == expected.keys() and len(found) > 0
    for name, tensor in expected.items():
        assert found[name].dtype == torch.float32
        assert torch.equal(found[name], tensor), name


def test_config_names_the_base(out, dump):
    config = json.loads((out / "qv" / "final_model" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == dump["model"]
