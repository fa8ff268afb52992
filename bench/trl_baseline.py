"""One epoch of TRL's DPOTrainer over given pairs, timed: the other side of bench/compare_trl.ts.

    python bench/trl_baseline.py MODEL_FOLDER PAIRS.json [fp32|bf16]    (trl 1.16, peft, torch)

PAIRS.json is a list of {text: {prompt, chosen, rejected}, encoded: {prompt, chosen, rejected}}.
Prints one JSON line. On the CPU, LoRA r=8 on q_proj and v_proj, batches of 4 pairs in the
given order, the reference's log-probabilities computed before the clock starts; loading, tokenising
and the trainer's set-up are not timed either.
"""

import json
import resource
import sys
import tempfile
import time

import torch
import transformers
import trl
from datasets import Dataset
from peft import LoraConfig
from torch.utils.data import SequentialSampler
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import DPOConfig, DPOTrainer


class Clock(TrainerCallback):
    """From the first step's begin to the last one's end."""

    def __init__(self):
        self.started = None

    def on_step_begin(self, *_, **__):
        self.started = self.started or time.perf_counter()

    def on_step_end(self, *_, **__):
        self.seconds = time.perf_counter() - self.started


class InOrder(DPOTrainer):
    def _get_train_sampler(self, *_):
        return SequentialSampler(self.train_dataset)


def main() -> None:
    model_path, pairs_path, precision = sys.argv[1:]
    is_half = precision == "bf16"
    with open(pairs_path) as file:
        pairs = json.load(file)
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    with tempfile.TemporaryDirectory() as folder:
        config = DPOConfig(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=1, learning_rate=5e-6,
            beta=0.1, max_length=1024, lr_scheduler_type="constant", precompute_ref_log_probs=True,
            use_cpu=True, bf16=is_half, gradient_checkpointing=False, logging_steps=1, save_strategy="no",
            report_to=[], disable_tqdm=True, seed=0,
        )
        clock = Clock()
        trainer = InOrder(
            model=AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.bfloat16 if is_half else torch.float32),
            args=config,
            train_dataset=Dataset.from_list([pair["text"] for pair in pairs]),
            processing_class=tokenizer,
            peft_config=LoraConfig(
                r=8, lora_alpha=16, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
            ),
            callbacks=[clock],
        )
        for row, pair in zip(trainer.train_dataset, pairs, strict=True):
            for key in ("prompt", "chosen", "rejected"):
                assert row[f"{key}_ids"] == pair["encoded"][key], f"TRL reads other tokens: {pair['text']}"
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    print(json.dumps({
        "pairsPerSecond": len(pairs) / clock.seconds,
        "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "losses": losses,
        "versions": f"trl {trl.__version__}, torch {torch.__version__}, transformers {transformers.__version__}",
    }))


if __name__ == "__main__":
    main()
