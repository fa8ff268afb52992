"""A real model through the command line: two steps on SmolLM2-135M, then PEFT gives score.ts' numbers."""

import json
import shutil
import subprocess

import pytest
import torch
from conftest import DENO_COMMAND, ROOT
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL = "models/SmolLM2-135M-Instruct"
GOLDEN = json.loads((ROOT / "tests" / "golden" / "smollm2.json").read_text())
pytestmark = pytest.mark.skipif(
    not (ROOT / MODEL).exists(), reason=f"{MODEL} is not there; scripts/fetch_model.ts fetches it"
)


def script(name: str, *arguments: str) -> str:
    command = [*DENO_COMMAND, "run", "-q", "--no-prompt", f"-P={name}", f"scripts/{name}.ts", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def run():
    """A folder that the scripts' permissions reach, with triplets.jsonl and a trained adapter."""
    folder = ROOT / "models" / "client_test.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = (json.dumps(text) + "\n" for text in GOLDEN["texts"])
    (folder / "triplets.jsonl").write_text("".join(lines))
    path = str(folder.relative_to(ROOT))
    said = script(
        "train_dpo", "--sft_model_path", MODEL, "--train_file", f"{path}/triplets.jsonl", "--val_file",
        f"{path}/triplets.jsonl", "--output_dir", f"{path}/dpo", "--max_steps", "2", "--learning_rate", "1e-3",
    )
    assert "DPO Training completed!" in said
    assert f"Model saved to {path}/dpo/final_model" in said
    yield path
    shutil.rmtree(folder)


def test_score_gives_the_golden_and_pefts_log_probs(run):
    adapter = f"{run}/dpo/final_model"
    lines = script("score", "--model_path", MODEL, "--adapter_path", adapter, "--file", f"{run}/triplets.jsonl")
    ours = [json.loads(line) for line in lines.splitlines()]
    model = AutoModelForCausalLM.from_pretrained(ROOT / MODEL, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, ROOT / adapter).eval()
    tokenizer = AutoTokenizer.from_pretrained(ROOT / adapter)
    assert len(ours) == len(GOLDEN["pairs"])
    for row, text, pair in zip(ours, GOLDEN["texts"], GOLDEN["pairs"]):
        for side in ("chosen", "rejected"):
            assert tokenizer(text["prompt"] + text[side]).input_ids == pair["prompt"] + pair[side][:-1]
            assert row[f"ref_logps_{side}"] == pytest.approx(GOLDEN["reference"][side][row["index"]], abs=2e-3, rel=0)
            assert row[f"logps_{side}"] == pytest.approx(response_log_prob(model, pair, side), abs=2e-3, rel=0)
            assert row[f"tokens_{side}"] == len(pair[side])
    moved = max(abs(row["logps_chosen"] - row["ref_logps_chosen"]) for row in ours)
    assert moved > 0.1, "an adapter that does nothing would agree with anything"


def test_merge_lora_gives_transformers_our_text(run):
    adapter, merged = f"{run}/dpo/final_model", f"{run}/merged"
    said = script("merge_lora", "--adapter_path", adapter, "--output_dir", merged, "--json")
    assert json.loads(said)["modules"] == 60
    lines = script(
        "generate", "--adapter_path", adapter, "--file", f"{run}/triplets.jsonl", "--max_new_tokens", "64",
        "--num", "3",
    ).splitlines()
    model = AutoModelForCausalLM.from_pretrained(ROOT / merged)
    assert model.dtype == torch.float32
    tokenizer = AutoTokenizer.from_pretrained(ROOT / merged)
    for row in map(json.loads, lines):
        ids = tokenizer(row["prompt"], return_tensors="pt")
        with torch.no_grad():
            theirs = model.generate(**ids, max_new_tokens=64, do_sample=False)[0, ids.input_ids.shape[1] :]
        assert tokenizer.decode(theirs, skip_special_tokens=True) == row["text"]
        assert len(theirs) == row["tokens"] + row["stopped"]
    assert any(json.loads(line)["tokens"] > 20 for line in lines)
    base = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(ROOT / MODEL, dtype=torch.float32), ROOT / adapter)
    ids = torch.tensor([GOLDEN["pairs"][0]["prompt"] + GOLDEN["pairs"][0]["chosen"]])
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, base(ids).logits, atol=1e-4, rtol=1e-5)


def response_log_prob(model, pair: dict, side: str) -> float:
    prompt, response = pair["prompt"], pair[side]
    with torch.no_grad():
        scores = model(torch.tensor([prompt + response])).logits[0].log_softmax(-1)
    return scores[torch.arange(len(response)) + len(prompt) - 1, torch.tensor(response)].sum().item()
