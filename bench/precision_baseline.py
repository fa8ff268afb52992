"""The other side of bench/precision_table.ts: PyTorch's float32 and bfloat16 on the same adapter and ids.

    python bench/precision_baseline.py INPUT.json    (transformers 5.x, peft, torch)

INPUT.json holds {modelPath, adapterPath, pairs: [{prompt, chosen, rejected} as ids]}. In bfloat16 the whole
model is, the adapter stays float32 (PEFT's default) and so does the softmax over the logits. Prints one
JSON line: the summed log-probabilities of each answer, by precision, of policy and reference.
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

with open(sys.argv[1]) as file:
    given = json.load(file)


def log_prob(model, prompt, answer):
    logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1].float()
    return logits.log_softmax(-1)[torch.arange(len(answer)), torch.tensor(answer)].double().sum().item()


def score(model):
    return {
        side: [log_prob(model, pair["prompt"], pair[side]) for pair in given["pairs"]]
        for side in ("chosen", "rejected")
    }


scores = {}
for name in ("float32", "bfloat16"):
    model = AutoModelForCausalLM.from_pretrained(given["modelPath"], dtype=getattr(torch, name))
    model = PeftModel.from_pretrained(model, given["adapterPath"]).eval()
    with torch.no_grad():
        scores[name] = {"policy": score(model)}
        with model.disable_adapter():
            scores[name]["reference"] = score(model)
print(json.dumps(scores))
