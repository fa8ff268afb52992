"""llama.cpp, as npm's node-llama-cpp packs it, runs the GGUF files that quantize wrote.

Its packages go into a folder of this test's own; DPO_KIT_LLAMA_CPP names one that is there already.
"""

import ctypes
import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

VERSION = "3.22.1"
PLATFORMS = {("Linux", "x86_64"): "linux-x64", ("Linux", "aarch64"): "linux-arm64", ("Darwin", "arm64"): "mac-arm64-metal"}
# How many times smaller than float32 the weights are at least; the norms stay float32.
SMALLER = {"f16": 1.99, "bf16": 1.99, "q8_0": 3.74, "q4_k_m": 5, "q4_0": 5.9, "q4_0_pure": 7}


@pytest.fixture(scope="session")
def packages(tmp_path_factory) -> Path:
    if os.environ.get("DPO_KIT_LLAMA_CPP"):
        return Path(os.environ["DPO_KIT_LLAMA_CPP"])
    machine = PLATFORMS.get((platform.system(), platform.machine()))
    if machine is None or not shutil.which("npm"):
        pytest.skip(f"node-llama-cpp has no build for {platform.system()} {platform.machine()}, or npm is missing")
    folder = tmp_path_factory.mktemp("llama_cpp")
    (folder / "package.json").write_text("{}")
    wanted = [f"node-llama-cpp@{VERSION}", f"@node-llama-cpp/{machine}@{VERSION}"]
    command = ["npm", "install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", *wanted]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        pytest.skip(f"node-llama-cpp could not be installed: {result.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="session")
def llama_cpp(packages, converted) -> dict:
    """What llama.cpp says of each file, by its path."""
    said = {}
    for model in converted["models"]:
        asked = {
            "models": [file["path"] for file in model["files"]],
            "prompts": model["prompts"],
            "texts": converted["texts"],
            "maxTokens": model["most"],
        }
        command = ["node", "tests/clients/llama_cpp.mjs", str(packages)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, input=json.dumps(asked))
        assert result.returncode == 0, result.stderr
        said |= json.loads(result.stdout.splitlines()[-1])
    return said


def files(converted, name: str | None = None) -> list[tuple[dict, dict]]:
    return [(model, file) for model in converted["models"] for file in model["files"] if name in (None, file["type"])]


def test_every_file_loads_and_writes(converted, llama_cpp):
    assert len(llama_cpp) == len(files(converted)) >= 10
    for model, file in files(converted):
        written = llama_cpp[file["path"]]["written"]
        assert len(written) == 10 and sum(map(len, written)) > 10, (model["name"], file["type"])


def test_tokens_are_ours(converted, llama_cpp):
    for model, file in files(converted, "f16"):
        theirs = llama_cpp[file["path"]]
        wrong = []
        for text, ours, found in zip(converted["texts"], model["ids"], theirs["ids"], strict=True):
            bos = [theirs["bos"]] if theirs["bos"] is not None else []
            if found != ours and bos + found != ours:
                wrong.append(text)
        assert not wrong, (model["name"], len(wrong), wrong[:5])


def test_f16_continues_as_we_do(converted, llama_cpp):
    for model, file in files(converted, "f16"):
        assert llama_cpp[file["path"]]["written"] == file["said"], model["name"]
        assert file["said"] == model["written"], model["name"]


def test_q8_0_begins_as_float_does(converted, llama_cpp):
    for model, file in files(converted, "q8_0"):
        theirs = llama_cpp[file["path"]]["written"]
        same = sum(a[:1] == b[:1] for a, b in zip(theirs, model["written"], strict=True))
        assert same >= 0.9 * len(theirs), (model["name"], same)


def test_every_file_begins_as_our_own_reading_of_it(converted, llama_cpp):
    """llama.cpp rounds activations to 8 bits too, so a near tie may fall otherwise."""
    for model, file in files(converted):
        theirs = llama_cpp[file["path"]]["written"]
        same = sum(a[:1] == b[:1] for a, b in zip(theirs, file["said"], strict=True))
        assert same >= 0.8 * len(theirs), (model["name"], file["type"], same)


def test_files_are_as_small_as_their_bits_make_them(converted):
    for model, file in files(converted):
        wanted = SMALLER.get(file["type"] + ("_pure" if file["pure"] else ""))
        if wanted and model["name"] != "bytes":
            assert file["float32Bytes"] / file["weightBytes"] > wanted, (model["name"], file["type"])
            assert file["fileBytes"] < 1.05 * file["weightBytes"] + 3e6


def llama_quantize(packages: Path, source: str, target: str, file_type: int) -> None:
    """llama.cpp's own quantiser, by its C interface; of its settings only the first two are touched."""

    class Settings(ctypes.Structure):
        _fields_ = [("threads", ctypes.c_int32), ("file_type", ctypes.c_int32), ("rest", ctypes.c_byte * 248)]

    folder = next(packages.glob("node_modules/@node-llama-cpp/*/bins/*"))
    libraries = sorted(folder.glob("libggml-base.so")) + sorted(folder.glob("libggml.v*.so")) + sorted(folder.glob("libllama.v*.so"))
    if len(libraries) < 3:
        pytest.skip(f"{folder} has no libllama.so")
    library = [ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL) for path in libraries][-1]
    library.llama_model_quantize_default_params.restype = Settings
    library.llama_model_quantize.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(Settings)]
    library.llama_model_quantize.restype = ctypes.c_uint32
    settings = library.llama_model_quantize_default_params()
    settings.threads, settings.file_type = 1, file_type
    assert library.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(settings)) == 0


@pytest.mark.parametrize("name,file_type", [("q8_0", 7), ("q4_0", 2), ("q4_k_m", 15), ("q6_k", 18)])
def test_llama_cpp_quantizes_to_our_bytes(packages, converted, tmp_path, name, file_type):
    gguf = pytest.importorskip("gguf")
    made = converted["requantized"]
    target = str(tmp_path / f"{name}.gguf")
    llama_quantize(packages, made["f16"], target, file_type)
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(target).tensors}
    ours = {tensor.name: tensor for tensor in gguf.GGUFReader(made["files"][name]).tensors}
    assert theirs.keys() == ours.keys()
    for key, tensor in theirs.items():
        assert tensor.tensor_type == ours[key].tensor_type, key
        assert (tensor.data == ours[key].data).all(), key


def test_chat_template_comes_along(converted, llama_cpp):
    for model, file in files(converted):
        assert (llama_cpp[file["path"]]["template"] is not None) == (model["name"] == "smollm2")
