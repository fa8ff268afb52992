"""TensorBoard reads the event files that train_dpo --logging tensorboard writes."""

import json

import pytest

from conftest import ROOT, deno

accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

STAGE_A = "models/sft_specialist/final_model"


def test_every_step_and_epoch_is_there(tmp_path):
    rows = (ROOT / "phase2_data/dpo/val_dpo.jsonl").read_text().splitlines()
    file, out = tmp_path / "rows.jsonl", tmp_path / "run"
    file.write_text("\n".join(rows[:24]))
    flags = {"sft_model_path": STAGE_A, "train_file": file, "val_file": file, "output_dir": out, "num_epochs": 2}
    deno("scripts/train_dpo.ts", "--logging=tensorboard", "--batch_size=8", *(f"--{name}={value}" for name, value in flags.items()))
    stats = json.loads((out / "dpo_training_stats.json").read_text())
    events = accumulators.EventAccumulator(str(out / "logs"))
    events.Reload()
    curve = lambda name: [(event.step, event.value) for event in events.Scalars(name)]
    for name in ["loss", "rewards/margins", "rewards/accuracies", "logps/chosen", "grad_norm", "learning_rate"]:
        wanted = [(line["step"], pytest.approx(line[name], rel=1e-6, abs=1e-12)) for line in stats["steps"]]
        assert curve(f"train/{name}") == wanted and len(wanted) == 6
    judged = [(epoch["step"], pytest.approx(epoch["validation"]["loss"], rel=1e-6)) for epoch in stats["epochs"]]
    assert curve("eval/loss") == judged and len(judged) == 2
    assert "train/step" not in events.Tags()["scalars"]
