"""Writes optim.json: AdamW and clipping from torch, learning rates from transformers.

Run: python tests/golden/make_optim.py   (torch, transformers; versions are stored in the file)
"""

import json
import math
import pathlib

import torch
import transformers
from transformers import get_scheduler

torch.manual_seed(1412)


def adamw(steps=20, sizes=(7, 4), **options):
    parameters = [torch.nn.Parameter(torch.randn(n)) for n in sizes]
    start = [p.tolist() for p in parameters]
    optimizer = torch.optim.AdamW(
        parameters, lr=options["learningRate"], betas=(options["beta1"], options["beta2"]),
        eps=options["epsilon"], weight_decay=options["weightDecay"], foreach=False)
    gradients, after = [], []
    for _ in range(steps):
        for p in parameters:
            p.grad = torch.randn(p.shape) * 10 ** torch.randint(-5, 2, p.shape)
        gradients.append([p.grad.tolist() for p in parameters])
        optimizer.step()
        after.append([p.tolist() for p in parameters])
    states = [optimizer.state[p] for p in parameters]
    return {"options": options, "start": start, "gradients": gradients, "after": after,
            "firstMoments": [s["exp_avg"].tolist() for s in states],
            "secondMoments": [s["exp_avg_sq"].tolist() for s in states]}


def clipping(scale, max_norm):
    parameters = [torch.nn.Parameter(torch.zeros(n)) for n in (3, 5)]
    for p in parameters:
        p.grad = torch.randn(p.shape) * scale
    before = [p.grad.tolist() for p in parameters]
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm).item()
    return {"maxNorm": max_norm, "before": before, "norm": norm,
            "after": [p.grad.tolist() for p in parameters]}


def schedule(name, total, ratio):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=5e-6)
    hf_name = "constant_with_warmup" if name == "constant" else name
    warmup = math.ceil(total * ratio)  # TrainingArguments.get_warmup_steps
    scheduler = get_scheduler(hf_name, optimizer, num_warmup_steps=warmup, num_training_steps=total)
    rates = []
    for _ in range(total + 2):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return {"schedule": name, "totalSteps": total, "warmupRatio": ratio, "learningRate": 5e-6,
            "rates": rates}


usual = {"learningRate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
golden = {
    "madeBy": "make_optim.py",
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    "adamw": [
        adamw(**usual, weightDecay=0.0),
        adamw(**usual, weightDecay=0.1),
        adamw(learningRate=0.05, beta1=0.8, beta2=0.95, epsilon=1e-3, weightDecay=0.5),
    ],
    "clip": [clipping(1e-3, 1.0), clipping(10.0, 1.0), clipping(1.0, 0.25), clipping(1e-7, 1e-7)],
    "schedules": [
        schedule(name, total, ratio)
        for name in ("constant", "linear", "cosine")
        for total, ratio in ((20, 0.0), (20, 0.1), (13, 0.3), (1, 0.1), (3, 1.0))
    ],
}
pathlib.Path(__file__).with_name("optim.json").write_text(json.dumps(golden, indent=None) + "\n")
