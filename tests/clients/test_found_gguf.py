"""A GGUF file that someone found, as llama.cpp and as we read it: DPO_KIT_GGUF names one."""

import json
import os
import subprocess

import pytest
from conftest import DENO_COMMAND, ROOT
from test_llama_cpp import packages  # noqa: F401, a fixture

FOUND, MOST = os.environ.get("DPO_KIT_GGUF"), 16
PROMPTS = [
    "The capital of France is",
    "Clinical note: A 56-year-old man has had a cough for 3 days and takes 20 mg of lisinopril.\n\nSummary:",
    "def fibonacci(n):\n    ",
    "Die Hauptstadt von Deutschland heißt",
    "Once upon a time, there was a",
]


@pytest.mark.skipif(not FOUND, reason="DPO_KIT_GGUF names no file")
def test_llama_cpp_reads_and_writes_as_we_do(packages, tmp_path):  # noqa: F811
    (tmp_path / "asked.json").write_text(json.dumps(dict(prompts=PROMPTS, most=MOST, found=FOUND)))
    command = [*DENO_COMMAND, "run", "-A", "-q", "tests/clients/dump_ggufs.ts", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    dump = json.loads((tmp_path / "ggufs.json").read_text())
    asked = dict(models=[FOUND], prompts=PROMPTS, texts=dump["texts"], maxTokens=MOST)
    command = ["node", "tests/clients/llama_cpp.mjs", str(packages)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, input=json.dumps(asked))
    assert result.returncode == 0, result.stderr
    theirs, ours = json.loads(result.stdout.splitlines()[-1])[FOUND], dump["found"]
    bos = [theirs["bos"]] if theirs["bos"] is not None else []
    assert [text for text, a, b in zip(dump["texts"], ours["ids"], theirs["ids"], strict=True) if a not in (b, bos + b)] == []
    # llama.cpp rounds activations to 8 bits where weights have few, so a near tie may fall otherwise.
    firsts = sum(a[:1] == b[:1] for a, b in zip(ours["written"], theirs["written"], strict=True))
    whole = sum(a == b for a, b in zip(ours["written"], theirs["written"], strict=True))
    print(f"{firsts} first tokens and {whole} texts of {len(PROMPTS)} are the same")
    assert firsts >= 4 and whole >= 2, (ours["written"], theirs["written"])
