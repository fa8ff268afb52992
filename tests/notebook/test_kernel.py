"""Deno's kernel as a person meets it: the Stop button, the pictures of a run, how a mistake reads.

Run by `deno task notebooks --test`, with the Python that it sets up.
"""

import json
import queue
import time
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
START = """
import { buildModels, encodePairs, loadTriplets, startNotebook, stopSignal, trainDpo, watchTraining }
  from "../mod.ts";
await startNotebook();
const models = await buildModels({ sftModelPath: "../models/sft_specialist/final_model" });
const triplets = await loadTriplets("../phase2_data/dpo/val_dpo.jsonl");
const { rows } = encodePairs(models.tokenizer, triplets.slice(0, 64));
"""
# More than anyone waits for: only Stop ends it.
ENDLESS = """
const run = await watchTraining(trainDpo(models, rows, {
  epochs: 10000, batchSize: 8, learningRate: 1e-5, outputDir: OUTPUT, signal: stopSignal(),
}));
"""


@pytest.fixture(scope="module")
def kernel():
    manager = KernelManager(kernel_name="deno")
    manager.start_kernel(cwd=str(NOTEBOOKS))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel, code, stop_after=None, limit=120):
    """What a cell sends to the page; with `stop_after`, Stop is pressed so many seconds after its start.

    The kernel may call a cell done before all that it sends is out.
    """
    manager, client = kernel
    cell, began, sent, is_done = client.execute(code), time.monotonic(), [], False
    while time.monotonic() - began < limit:
        if stop_after is not None and time.monotonic() - began > stop_after:
            manager.interrupt_kernel()
            stop_after = None
        try:
            message = client.get_iopub_msg(timeout=0.5)
        except queue.Empty:
            if is_done:
                return sent
            continue
        if message["parent_header"].get("msg_id") != cell:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            is_done = True
        if kind not in ("status", "execute_input"):
            sent.append((kind, content))
    raise AssertionError(f"the cell did not end within {limit} seconds")


def test_stop_ends_training_and_keeps_kernel_state_and_checkpoint(kernel, tmp_path):
    assert not [content for kind, content in run(kernel, START) if kind == "error"]
    sent = run(kernel, ENDLESS.replace("OUTPUT", json.dumps(str(tmp_path / "run"))), stop_after=6)
    assert [kind for kind, _ in sent if kind == "error"] == []
    pictures = [content for kind, content in sent if kind == "update_display_data"]
    shown = [content for kind, content in sent if kind == "display_data"]
    assert len({content["transient"]["display_id"] for content in pictures}) == 1
    assert len(pictures) < 15, "one picture a second, not one a step"
    while_it_ran = [set(content["data"]) for content in pictures[:-1]]
    assert all("application/vnd.plotly.v1+json" not in kinds for kinds in while_it_ran), (
        "JupyterLab draws Plotly's JSON once and never looks at what replaces it"
    )
    assert any("image/svg+xml" in kinds for kinds in while_it_ran)
    data = pictures[-1]["data"]
    assert data["application/vnd.plotly.v1+json"]["data"][0]["y"]
    assert data["image/svg+xml"].startswith("<svg")
    assert data["text/plain"].startswith("stopped at step")
    assert shown[0]["data"]["text/plain"] == "Asking the reference"
    assert kernel[0].is_alive()
    [(_, result)] = run(kernel, "[run.end, run.steps.length, run.checkpoints.length].join()")
    end, steps, checkpoints = result["data"]["text/plain"].split('"')[1].split(",")
    assert end == "aborted" and int(steps) > 0 and int(checkpoints) > 0
    # Between two epochs it is the epoch's own checkpoint, within one a checkpoint of the step.
    written = [*(tmp_path / "run").glob("checkpoint_*/training_state.json")]
    assert max(json.loads(state.read_text())["step"] for state in written) == int(steps)


def test_a_second_stop_aborts_what_began_after_the_first(kernel):
    code = "await new Promise((done) => stopSignal().addEventListener('abort', done)); 'over'"
    [(kind, content)] = run(kernel, code, stop_after=1, limit=30)
    assert kind == "execute_result" and "over" in content["data"]["text/plain"]


def test_a_users_mistake_reads_as_a_message(kernel):
    [(kind, content)] = run(kernel, 'await loadTriplets("nowhere.jsonl");')
    message = 'UserError: Cannot read "nowhere.jsonl": there is no such file or folder'
    assert kind == "error" and content["traceback"] == [message]


def test_an_unexpected_error_keeps_its_stack(kernel):
    [(kind, content)] = run(kernel, "undefined.nothing")
    assert kind == "error" and len(content["traceback"]) > 1
