"""What all client tests share: our side's files and numbers, made once by train_and_dump.ts."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
DENO = os.environ.get("DPO_KIT_DENO") or shutil.which("deno")
DENO_COMMAND = [DENO] if DENO else ["npx", "-y", "deno@2.9.6"]
VARIANTS = ["qv", "all_rslora"]

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
torch.set_num_threads(2)


def deno(*arguments: str) -> None:
    command = [*DENO_COMMAND, "run", "-A", "-q", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="session")
def out(tmp_path_factory) -> Path:
    """The folder with our adapters and dump.json."""
    folder = tmp_path_factory.mktemp("dpo_kit")
    deno("tests/clients/train_and_dump.ts", str(folder))
    return folder


@pytest.fixture(scope="session")
def dump(out) -> dict:
    return json.loads((out / "dump.json").read_text())


@pytest.fixture(scope="session")
def converted(out) -> dict:
    """What we merged and quantised, and what we say of it."""
    deno("tests/clients/convert_and_dump.ts", str(out))
    return json.loads((out / "convert.json").read_text())


@pytest.fixture(scope="session")
def model_path(dump) -> str:
    return str(ROOT / dump["model"])


def as_table(numbers: list[float], ids: list[int]) -> torch.Tensor:
    """Our log-probabilities [T, V] of a sequence."""
    return torch.tensor(numbers).reshape(len(ids), -1)


def log_probs(model, ids: list[int]) -> torch.Tensor:
    """A client's log-probabilities [T, V] of a sequence."""
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].log_softmax(-1)
