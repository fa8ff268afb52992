"""GGUF files of every family, both ways: random checkpoints that transformers makes, written by quantize,
read by llama.cpp, by transformers and by us."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import torch
from conftest import DENO_COMMAND, ROOT, as_table, log_probs
from test_llama_cpp import packages  # noqa: F401, a fixture
from transformers import AutoConfig, AutoModelForCausalLM

COMMON = dict(
    hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=512,
)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=128, rope_theta=10000.0)
LLAMA3 = dict(
    rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64,
    rope_theta=5000.0,
)
GEMMA = dict(
    COMMON, head_dim=32, num_hidden_layers=7, sliding_window=16, query_pre_attn_scalar=32,
    rope_parameters=dict(
        full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1000000.0),
        sliding_attention=dict(rope_type="default", rope_theta=500.0),
    ),
)
SEEING = dict(
    model_type="gemma3", text_config=GEMMA, mm_tokens_per_image=1, image_token_index=500, boi_token_index=501, eoi_token_index=502,
    vision_config=dict(hidden_size=2, intermediate_size=2, num_hidden_layers=1, num_attention_heads=1, image_size=2, patch_size=1),
)
# A model's config and its tokenizer.
MODELS = {
    "llama3_rope": (dict(COMMON, model_type="llama", rope_parameters=LLAMA3), "llama3"),
    "mistral": (
        dict(COMMON, model_type="mistral", head_dim=32, sliding_window=256, rope_parameters=dict(rope_type="linear", factor=2.0, rope_theta=10000.0)),
        "byte_fallback",
    ),
    "qwen2": (dict(COMMON, model_type="qwen2", rope_parameters=YARN, tie_word_embeddings=True), "qwen"),
    "qwen3": (dict(COMMON, model_type="qwen3", head_dim=32, rope_parameters=dict(YARN, attention_factor=1.3, beta_fast=16.0)), "qwen"),
    "gemma3": (dict(GEMMA, model_type="gemma3_text"), "gemma"),
    "gemma3_seeing": (SEEING, "gemma"),
    "gpt2": (dict(model_type="gpt2", n_embd=64, n_layer=2, n_head=4, n_positions=1024), "gpt2"),
}
# What transformers 5.23 reads of a GGUF file: it passes over stretched positions, takes a Qwen 3 head to be of 128
# numbers and a GPT-2 of 1024 positions. Of the others it gets the folders that the files are turned into.
READ_BY_TRANSFORMERS = ["gpt2"]
MOST, EOS = 12, 2
PROMPTS = [json.loads(line)["prompt"] for line in (ROOT / "phase2_data/dpo/val_dpo.jsonl").read_text().splitlines()[:4]]


def tokenizer_files(kind: str) -> dict[str, dict]:
    """A golden tokenizer, cut as this family's are."""
    source = {"qwen": "llama3", "gemma": "byte_fallback", "gpt2": "byte_level"}.get(kind, kind)
    folder = ROOT / "tests/golden/tokenizers" / source
    tokenizer, config = (json.loads((folder / name).read_text()) for name in ("tokenizer.json", "tokenizer_config.json"))
    if kind == "qwen":
        split = tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]
        split["Regex"] = split["Regex"].replace("{1,3}", "")
    elif kind == "gpt2":
        tokenizer["pre_tokenizer"] = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    elif kind == "gemma":
        tokenizer["normalizer"] = tokenizer["normalizer"]["normalizers"][1]
        tokenizer["pre_tokenizer"] = dict(type="Split", pattern=dict(String=" "), behavior="MergedWithPrevious", invert=False)
        tokenizer["decoder"]["decoders"].pop()
        # Gemma's runs of spaces and breaks are tokens of their own, and what merges give first.
        plain = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
        vocab, runs = tokenizer["model"]["vocab"], range(2, 32)
        for text in [*("▁" * run for run in runs), "\n\n", "<table>"]:
            number = vocab.setdefault(text, len(vocab))
            tokenizer["added_tokens"].append(dict(id=number, content=text, **plain))
        merges = [["▁" * left, "▁" * (run - left)] for run in runs for left in range(1, run)]
        tokenizer["model"]["merges"] = merges + tokenizer["model"]["merges"]
        config |= dict(bos_token="<s>", add_bos_token=True)
    return {"tokenizer.json": tokenizer, "tokenizer_config.json": config}


def randomize(model) -> None:
    """Weights that float16 holds exactly; each matters."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            width = weight.shape[0] if re.search(r"c_(attn|fc|proj)\.weight$", name) else weight.shape[-1]
            neutral = 0.0 if "gemma3" in model.config.model_type else 1.0
            if weight.dim() == 2:
                weight.normal_(std=0.7 if "wte" in name or "wpe" in name else 1.5 * width**-0.5)
            elif name.endswith("bias"):
                weight.normal_(std=0.3)
            else:
                weight.normal_(mean=neutral, std=0.3)
            weight.copy_(weight.half().float())


def make(folder: Path, options: dict, kind: str) -> None:
    """A random checkpoint of this config, with a tokenizer of its kind."""
    files = tokenizer_files(kind)
    ids = dict(vocab_size=len(files["tokenizer.json"]["model"]["vocab"]), bos_token_id=1, eos_token_id=EOS)
    if "text_config" in options:
        options = dict(options, text_config=dict(options["text_config"], **ids))
    torch.manual_seed(1)
    rest = {key: value for key, value in options.items() if key != "model_type"}
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(options["model_type"], **rest, **ids))
    randomize(model)
    model.save_pretrained(folder)
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))


@pytest.fixture(scope="module")
def dump(tmp_path_factory) -> dict:
    """What dump_ggufs.ts leaves."""
    out = tmp_path_factory.mktemp("gguf_families")
    (out / "asked.json").write_text(json.dumps(dict(prompts=PROMPTS, most=MOST)))
    for name, (options, kind) in MODELS.items():
        make(out / "models" / name, options, kind)
    command = [*DENO_COMMAND, "run", "-A", "-q", "tests/clients/dump_ggufs.ts", str(out)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return json.loads((out / "ggufs.json").read_text())


@pytest.fixture(scope="module")
def llama_cpp(packages, dump) -> dict:  # noqa: F811
    """What llama.cpp says of each file, by its path."""
    paths = [file["path"] for model in dump["models"].values() for file in model["files"].values()]
    asked = dict(models=paths, prompts=PROMPTS, texts=dump["texts"], maxTokens=MOST, probabilities=2)
    command = ["node", "tests/clients/llama_cpp.mjs", str(packages)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, input=json.dumps(asked))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def load(path, **options):
    model, loading = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True, **options)
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    return model.eval()


def test_every_family_is_here(dump):
    assert sorted(dump["models"]) == sorted(MODELS)


def assert_writes(model: dict, written: list[list[int]], nearly: float) -> None:
    """The model's greedy tokens, up to where the next two are as good as tied and rounding decides."""
    network, same = load(model["folder"]), 0
    for ids, ours, theirs in zip(model["prompts"], model["written"], written, strict=True):
        if ours == theirs:
            same += 1
            continue
        ours, theirs = (tokens + [EOS] * (MOST - len(tokens)) for tokens in (ours, theirs))
        at = next(i for i in range(MOST) if ours[i] != theirs[i])
        scores = log_probs(network, ids + ours[:at])[-1]
        assert abs(scores[ours[at]] - scores[theirs[at]]) < nearly, (ours, theirs)
    assert same >= 2, f"{same} of {len(written)} texts are the same"


def is_asked(name: str, text: str) -> bool:
    """A longer run of spaces than Gemma has a token for is cut by merges in one program, from the left in the other."""
    return " " * 32 not in text or "gemma" not in name


@pytest.mark.parametrize("name", MODELS)
def test_our_reading_is_the_model(dump, name):
    model = dump["models"][name]
    file = model["files"]["f16"]
    ours, back = as_table(model["logProbs"], model["prompt"]), as_table(file["logProbs"], file["prompt"])
    assert len(model["prompt"]) > 100
    assert max(map(len, model["prompts"])) + MOST < file["contextLength"]
    torch.testing.assert_close(back, ours, atol=1e-3, rtol=0)
    assert_writes(model, file["written"], nearly=0.01)
    same = [a == b for text, a, b in zip(dump["texts"], model["ids"], file["ids"], strict=True) if is_asked(name, text)]
    assert all(same) and len(same) > 300
    four = as_table(model["files"]["q4_k_m"]["logProbs"], file["prompt"])
    assert 1e-3 < (four - ours).abs().mean() < 1, "four bits are four bits, and still this model"


@pytest.mark.parametrize("name", MODELS)
def test_transformers_agrees(dump, name):
    """Of the checkpoint, and of the folder that the F16 file is turned into."""
    model = dump["models"][name]
    ours = as_table(model["logProbs"], model["prompt"])
    for path in [model["folder"], model["back"]]:
        torch.testing.assert_close(log_probs(load(path), model["prompt"]), ours, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", READ_BY_TRANSFORMERS)
def test_transformers_reads_the_file(dump, name):
    pytest.importorskip("gguf")
    model = dump["models"][name]
    path = Path(model["files"]["f16"]["path"])
    theirs = log_probs(load(path.parent, gguf_file=path.name), model["prompt"])
    torch.testing.assert_close(theirs, as_table(model["logProbs"], model["prompt"]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_llama_cpp_has_our_tokens(dump, llama_cpp, name):
    model = dump["models"][name]
    theirs = llama_cpp[model["files"]["f16"]["path"]]
    wrong = []
    for text, ours, found in zip(dump["texts"], model["ids"], theirs["ids"], strict=True):
        bos = [theirs["bos"]] if theirs["bos"] is not None else []
        if is_asked(name, text) and found != ours and bos + found != ours:
            wrong.append(text)
    assert not wrong, (len(wrong), wrong[:5])


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("file_type,most", [("f16", 5e-3), ("q8_0", 5e-2)])
def test_llama_cpp_has_our_probabilities(dump, llama_cpp, name, file_type, most):
    """llama.cpp rounds what a matrix of 16 bits is multiplied by to 16 bits too, and to 8 for 8."""
    file = dump["models"][name]["files"][file_type]
    theirs = torch.tensor(llama_cpp[file["path"]]["probabilities"][0])
    ours = as_table(file["logProbs"], file["prompt"])[-1].exp()
    assert (theirs - ours).abs().max() < most and abs(theirs.sum() - 1) < 1e-3


@pytest.mark.parametrize("name", MODELS)
def test_llama_cpp_writes_what_we_do(dump, llama_cpp, name):
    model = dump["models"][name]
    assert_writes(model, llama_cpp[model["files"]["f16"]["path"]]["written"], nearly=0.1)


def test_a_window_that_llama_does_not_know_bounds_its_context(dump):
    lengths = {name: model["files"]["f16"]["contextLength"] for name, model in dump["models"].items()}
    assert lengths == {name: {"mistral": 256, "gpt2": 1024}.get(name, 512) for name in MODELS}
