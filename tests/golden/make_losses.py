"""Writes losses.json: preference losses and their gradients from TRL's own DPOTrainer.

Run: python tests/golden/make_losses.py   (torch, trl; versions are stored in the file)

TRL's `DPOTrainer._compute_loss` runs unchanged, in float64, on random per-token log-probabilities
that a stand-in model returns. Two losses TRL lacks are reached otherwise, and say so in "source":
sigmoid with label smoothing (cDPO) is TRL's "aot" loss on one pair at a time, which is the same
formula; DPO-Positive is written here in torch from arXiv 2402.13228 (its DPOP loss). TRL's
alpha-divergence knows no float64 and casts to float32: it runs with float64 under those names. Its
hinge can't be weighted, for it multiplies relu's result in place: relu gives a copy here.

A sequence's "tail" is its tokens beyond the length of the pair's shorter answer. "gradChosen" is d
loss / d the sum of all tokens, "gradChosenTail" what a tail's token has beside that.
"""

import json
import pathlib
import re
from collections import defaultdict
from types import SimpleNamespace
from unittest import mock

import torch
import torch.nn.functional as F
import trl
import trl.trainer.dpo_trainer
from trl import DPOTrainer

torch.manual_seed(20230529)
torch.set_default_dtype(torch.float64)
PAIRS, LENGTH, PROMPT = 7, 12, 3
DEFAULTS = dict(
    loss_types=["sigmoid"], loss_weights=None, beta=0.1, label_smoothing=0.0, ld_alpha=None,
    use_weighting=False, f_divergence_type="reverse_kl", f_alpha_divergence_coef=0.5, discopop_tau=0.05,
)
OURS = {  # TRL's names -> ours
    "loss_types": "lossType", "loss_weights": "lossWeights", "beta": "beta",
    "label_smoothing": "labelSmoothing", "ld_alpha": "ldAlpha", "use_weighting": "useWeighting",
    "f_divergence_type": "fDivergenceType", "f_alpha_divergence_coef": "fAlphaDivergenceCoef",
    "discopop_tau": "discopopTau",
}


class DoubleTorch:
    """torch, but what is called float32 is float64, and relu's result may be changed in place."""

    float32 = torch.float64

    def relu(self, x):
        return torch.relu(x).clone()

    def __getattr__(self, name):
        return getattr(torch, name)


def in_double():
    """Lets TRL's own code run in float64 where it names float32."""
    return (
        mock.patch.object(trl.trainer.dpo_trainer, "torch", DoubleTorch()),
        mock.patch.object(torch.Tensor, "float", torch.Tensor.double),
    )


def random_batch():
    lengths = torch.randint(1, LENGTH - PROMPT, (2 * PAIRS,))
    positions = torch.arange(LENGTH)
    mask = ((positions >= PROMPT) & (positions < PROMPT + lengths[:, None])).long()
    shifted = mask[:, 1:].double()
    reference = -torch.rand(2 * PAIRS, LENGTH - 1, dtype=torch.float64) * 4 * shifted
    policy = (reference + torch.randn(2 * PAIRS, LENGTH - 1, dtype=torch.float64)) * shifted
    return mask, policy, reference


def run_trl(mask, policy, reference, squares=None, **options):
    """The loss, and its gradient with respect to each sequence's sum and to its tail's sum."""
    options = {**DEFAULTS, **options}
    shifted = mask[:, 1:]
    tail, head = tails(mask), shifted - tails(mask)
    moves = torch.zeros(2, len(mask), requires_grad=True)
    # Tokens share the move of their part, so that d loss / d moves is what a part's sum does.
    moved = sum(
        (move / part.sum(1).clamp(min=1))[:, None] * part for move, part in zip(moves, (head, tail)))
    zeros = torch.zeros_like(policy)

    def model(**_):
        return SimpleNamespace(
            log_probs=policy + moved, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool(),
            log_sum_sq_probs=squares)

    model.training = True
    gather = lambda x: x
    trainer = SimpleNamespace(
        model=model,
        accelerator=SimpleNamespace(device="cpu", gather=gather, gather_for_metrics=gather),
        aux_loss_enabled=False, precompute_ref_logps=True, _tp_size=1, _total_train_tokens=0,
        args=SimpleNamespace(discopop_tau=options["discopop_tau"]),
        _metrics={"train": defaultdict(list)}, **options,
    )
    trainer.loss_weights = options["loss_weights"] or [1.0] * len(options["loss_types"])
    half = len(mask) // 2
    weight = torch.where(tail.bool(), 1.0 if options["ld_alpha"] is None else options["ld_alpha"], 1.0)
    weighted = (reference * weight).sum(1)
    inputs = {
        "input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask),
        "completion_mask": mask,
        "ref_chosen_logps": weighted[:half], "ref_rejected_logps": weighted[half:],
    }
    for patch in (patches := in_double()):
        patch.start()
    loss = DPOTrainer._compute_loss(trainer, model, inputs, False)
    for patch in patches:
        patch.stop()
    loss.backward()
    ofHead, ofTail = moves.grad
    metrics = {key: values[0] for key, values in trainer._metrics["train"].items()}
    return loss.item(), (ofHead, torch.where(tail.sum(1) > 0, ofTail - ofHead, 0.0)), metrics


def tails(mask):
    """Which predicted tokens lie beyond the length of the pair's shorter answer."""
    shifted = mask[:, 1:]
    shorter = torch.minimum(*shifted.sum(1).chunk(2)).repeat(2)
    return ((shifted.cumsum(1) > shorter[:, None]) & shifted.bool()).long()


def run_smoothed(mask, policy, reference, beta, label_smoothing):
    total, gradient = 0.0, torch.zeros(2 * PAIRS)
    for i in range(PAIRS):
        pick = [i, i + PAIRS]
        loss, (grad, _), _ = run_trl(
            mask[pick], policy[pick], reference[pick], loss_types=["aot"], beta=beta,
            label_smoothing=label_smoothing)
        total += loss / PAIRS
        gradient[pick] = grad / PAIRS
    return total, (gradient, None)


def run_dpop(policy, reference, beta, dpop_lambda):
    sums = policy.sum(1).requires_grad_()
    chosen, rejected = (sums - reference.sum(1)).chunk(2)
    loss = -F.logsigmoid(beta * (chosen - rejected - dpop_lambda * torch.relu(-chosen))).mean()
    loss.backward()
    return loss.item(), (sums.grad, None)


def case(name, source, batch, loss, gradients, squares=None, **options):
    mask, policy, reference = batch
    tail = tails(mask)
    vectors = {
        "policy": policy.sum(1), "reference": reference.sum(1),
        "policy_tail": (policy * tail).sum(1), "reference_tail": (reference * tail).sum(1),
        "tokens": mask.sum(1),
    }
    ours = {}
    for key, vector in vectors.items():
        kind, _, part = key.partition("_")
        for side, values in zip(("Chosen", "Rejected"), vector.chunk(2)):
            field = f"{kind}{side}{part.title()}" if kind != "tokens" else f"{side.lower()}Tokens"
            ours[field] = values.tolist()
    found = {"name": name, "source": source, "options": options, "logProbs": ours, "loss": loss}
    if squares is not None:
        sums = (squares * mask[:, 1:]).sum(1)
        found["squares"] = dict(zip(("chosenSquares", "rejectedSquares"), (x.tolist() for x in sums.chunk(2))))
    for part, gradient in zip(("", "Tail"), gradients):
        if gradient is not None:
            found[f"gradChosen{part}"], found[f"gradRejected{part}"] = (x.tolist() for x in gradient.chunk(2))
    return found


FIRST = [
    dict(),
    dict(beta=2.0),
    dict(loss_types=["ipo"]),
    dict(loss_types=["ipo"], beta=0.7),
    dict(loss_types=["hinge"]),
    dict(loss_types=["hinge"], beta=1.0),
    dict(loss_types=["robust"], beta=0.3, label_smoothing=0.2),
    dict(loss_types=["sft"]),
    dict(loss_types=["sigmoid", "sft"], loss_weights=[1.0, 1.0]),
    dict(loss_types=["sigmoid", "hinge", "ipo", "sft"], loss_weights=[0.8, 0.5, 0.25, 1.5], beta=0.4),
]
DIVERGING = ["sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "robust", "discopop", "sft"]
SMOOTHED = {"exo_pair": 0.01, "robust": 0.1}
THEN = [
    *(dict(loss_types=[name], beta=beta) for beta in (0.1, 0.8) for name in (
        "nca_pair", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero", "apo_down", "discopop",
        "sigmoid_norm")),
    *(dict(loss_types=["exo_pair"], beta=beta, label_smoothing=eps) for beta, eps in ((0.1, 1e-3), (0.8, 0.2))),
    *(dict(loss_types=[name], beta=0.3, label_smoothing=0.15) for name in ("aot", "aot_unpaired")),
    dict(loss_types=["discopop"], beta=0.3, discopop_tau=0.7),
    dict(loss_types=["sigmoid", "bco_pair", "sft"], loss_weights=[0.8, 0.2, 1.0]),
    dict(loss_types=["aot", "apo_zero", "sft"], loss_weights=[0.5, 2.0, 0.1], beta=0.5),
    *(dict(f_divergence_type=kind, loss_types=[name], beta=0.4, label_smoothing=SMOOTHED.get(name, 0.0))
      for name in DIVERGING for kind in ("forward_kl", "js_divergence", "alpha_divergence")),
    *(dict(f_divergence_type="alpha_divergence", f_alpha_divergence_coef=coef) for coef in (0.0, 0.9, 1.0, 1.7)),
    *(dict(ld_alpha=alpha, loss_types=[name], beta=0.3, label_smoothing=SMOOTHED.get(name, 0.0))
      for alpha, name in (
          (0.0, "sigmoid"), (0.3, "sigmoid"), (1.0, "sigmoid"), (0.5, "ipo"), (0.5, "sigmoid_norm"), (0.5, "aot"),
          (0.5, "aot_unpaired"), (0.5, "sft"), (0.5, "bco_pair"), (0.5, "exo_pair"))),
    dict(ld_alpha=0.4, loss_types=["sigmoid", "sft"], loss_weights=[1.0, 0.7], f_divergence_type="js_divergence"),
    *(dict(use_weighting=True, loss_types=[name], beta=0.3, label_smoothing=SMOOTHED.get(name, 0.0))
      for name in ("sigmoid", "ipo", "hinge", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "apo_zero",
                   "apo_down", "discopop", "sigmoid_norm")),
    dict(use_weighting=True, ld_alpha=0.2, loss_types=["sigmoid", "ipo"], loss_weights=[1.0, 0.1]),
]


def trl_case(options, weighs):
    batch = random_batch()
    squares = -torch.rand(2 * PAIRS, LENGTH - 1) * 3 * batch[0][:, 1:] if weighs else None
    loss, gradients, metrics = run_trl(*batch, squares, **options)
    ours = {OURS[key]: value for key, value in {"beta": DEFAULTS["beta"], **options}.items()
            if key == "beta" or value != DEFAULTS[key]}
    added = [f"{key} {value}" for key, value in options.items()
             if key not in ("loss_types", "loss_weights", "beta") and value != DEFAULTS[key]]
    name = ", ".join(["+".join(options.get("loss_types", ["sigmoid"])), *added])
    source = f"trl {trl.__version__} DPOTrainer._compute_loss"
    found = case(name, source, batch, loss, gradients, squares, **ours)
    found["metrics"] = {key: metrics[key] for key in ("rewards/chosen", "rewards/rejected")}
    return found


def main():
    cases = [trl_case(options, False) for options in FIRST]
    for smoothing in (0.1, 0.3):
        batch = random_batch()
        loss, gradients = run_smoothed(*batch, 0.5, smoothing)
        source = f"trl {trl.__version__} DPOTrainer._compute_loss, aot, a pair at a time"
        cases.append(case("cDPO", source, batch, loss, gradients, beta=0.5, lossType="sigmoid", labelSmoothing=smoothing))
    for dpop_lambda in (5.0, 50.0):
        batch = random_batch()
        loss, gradients = run_dpop(batch[1], batch[2], 0.3, dpop_lambda)
        cases.append(case("dpop", "arXiv 2402.13228, torch autograd", batch, loss, gradients,
                          beta=0.3, lossType="dpop", dpopLambda=dpop_lambda))
    cases += [trl_case(options, options.get("use_weighting", False)) for options in THEN]
    versions = {"torch": torch.__version__, "trl": trl.__version__}
    text = json.dumps({"madeBy": "make_losses.py", "versions": versions, "cases": cases}, indent=1)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text)  # a vector a line
    pathlib.Path(__file__).with_name("losses.json").write_text(text + "\n")


main()
