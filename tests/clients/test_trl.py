"""TRL's DPOTrainer, with the reference precomputed, gives our losses, metrics and trained adapter."""

import re

import pytest
import torch
from conftest import VARIANTS
from datasets import Dataset
from peft import LoraConfig, load_peft_weights, set_peft_model_state_dict
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer

METRICS = [
    "loss", "rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected",
]


class InOrder(DPOTrainer):
    def _get_train_sampler(self, *_):
        return SequentialSampler(self.train_dataset)


def make_trainer(dump, model_path, out, tmp_path, adapter: str, **options) -> DPOTrainer:
    """A trainer over the base model whose fresh adapter is replaced by one of ours."""
    dataset = Dataset.from_list([{key: row[key] for key in ("prompt", "chosen", "rejected")} for row in dump["texts"]])
    config = DPOConfig(
        output_dir=str(tmp_path), per_device_train_batch_size=4, per_device_eval_batch_size=len(dataset),
        num_train_epochs=1, learning_rate=dump["learningRate"], lr_scheduler_type="constant", max_length=None,
        precompute_ref_log_probs=True, use_cpu=True, bf16=False, gradient_checkpointing=False, save_strategy="no",
        report_to=[], disable_tqdm=True, **options,
    )
    lora = LoraConfig.from_pretrained(out / adapter)
    lora.inference_mode = False
    trainer = InOrder(
        model=AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32),
        args=config, train_dataset=dataset, eval_dataset=dataset,
        processing_class=AutoTokenizer.from_pretrained(model_path), peft_config=lora,
    )
    for row, pair in zip(trainer.train_dataset, dump["shared"]["pairs"], strict=True):
        for key in ("prompt", "chosen", "rejected"):
            assert row[f"{key}_ids"] == pair[key], "TRL reads other tokens"
    set_peft_model_state_dict(trainer.model, load_peft_weights(out / adapter))
    return trainer


def test_we_have_every_loss_of_trl(dump):
    theirs = re.findall(r"`'(\w+)'`", DPOConfig.__dataclass_fields__["loss_type"].metadata["help"])
    assert len(theirs) >= 15 and set(theirs) <= set(dump["lossTypes"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_evaluation_gives_our_metrics(dump, model_path, out, tmp_path, variant):
    assert len(dump[variant]["metrics"]) == 20
    for loss in dump[variant]["metrics"]:
        asked, ours = loss["asked"], loss["metrics"]
        trainer = make_trainer(dump, model_path, out, tmp_path, f"{variant}/final_model", **asked)
        theirs = trainer.evaluate()
        assert abs(ours["rewards/margins"]) > 1e-3, "an adapter that does nothing would agree with anything"
        for metric in METRICS:
            if "ld_alpha" in asked and metric.startswith("logps"):
                continue  # TRL shows its weighted sums there, we the answers' own
            assert theirs[f"eval_{metric}"] == pytest.approx(ours[metric], abs=1e-4, rel=1e-5), (asked, metric)


@pytest.mark.parametrize("variant, final", [
    ("qv", "qv/final_model"), ("all_rslora", "all_rslora/final_model"), ("qv", "stepped/mpo"), ("qv", "stepped/sorted"),
    ("qv", "stepped/tails"), ("qv", "stepped/weighted"),
])
def test_four_steps_give_our_adapter(dump, model_path, out, tmp_path, variant, final):
    loss = dump["stepped"].get(final.removeprefix("stepped/"), dump["stepped"]["plain"])
    trainer = make_trainer(
        dump, model_path, out, tmp_path, f"{variant}/initial", optim="adamw_torch", weight_decay=0.0, **loss)
    initial = load_peft_weights(out / variant / "initial")
    trainer.train()
    ours = load_peft_weights(out / final)
    theirs = {name.replace(".default", ""): weight.detach() for name, weight in trainer.model.named_parameters()}
    for name, weight in ours.items():
        change, wanted = theirs[name] - initial[name], weight - initial[name]
        assert wanted.norm() > 0
        assert (change - wanted).norm() / wanted.norm() < 2e-3, name
