"""Writes losses.json: preference losses and their gradients from TRL's own DPOTrainer.

Run: python tests/golden/make_losses.py   (torch, trl; versions are stored in the file)

TRL's `DPOTrainer._compute_loss` runs unchanged, in float64, on random per-token log-probabilities
that a stand-in model returns. Two losses TRL lacks are reached otherwise, and say so in "source":
sigmoid with label smoothing (cDPO) is TRL's "aot" loss on one pair at a time, which is the same
formula; DPO-Positive is written here in torch from arXiv 2402.13228 (its DPOP loss).
"""

import json
import pathlib
from collections import defaultdict
from types import SimpleNamespace

import torch
import torch.nn.functional as F
import trl
from trl import DPOTrainer

torch.manual_seed(20230529)
PAIRS, LENGTH, PROMPT = 7, 12, 3


def random_batch():
    lengths = torch.randint(1, LENGTH - PROMPT, (2 * PAIRS,))
    positions = torch.arange(LENGTH)
    mask = ((positions >= PROMPT) & (positions < PROMPT + lengths[:, None])).long()
    shifted = mask[:, 1:].double()
    reference = -torch.rand(2 * PAIRS, LENGTH - 1, dtype=torch.float64) * 4 * shifted
    policy = (reference + torch.randn(2 * PAIRS, LENGTH - 1, dtype=torch.float64)) * shifted
    return mask, policy, reference


def run_trl(mask, policy, reference, loss_types, loss_weights, beta, label_smoothing):
    """The loss, and its gradient with respect to each sequence's summed log-probability."""
    sums = policy.sum(1).requires_grad_()
    shifted = mask[:, 1:]
    tokens = shifted.sum(1)
    # A token's share moves with its sequence's sum, so that d loss / d sums is what is wanted.
    moved = (policy + ((sums - sums.detach()) / tokens)[:, None]) * shifted
    zeros = torch.zeros_like(policy)

    def model(**_):
        return SimpleNamespace(log_probs=moved, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool())

    model.training = True
    gather = lambda x: x
    trainer = SimpleNamespace(
        model=model,
        accelerator=SimpleNamespace(device="cpu", gather=gather, gather_for_metrics=gather),
        aux_loss_enabled=False, ld_alpha=None, precompute_ref_logps=True, use_weighting=False,
        f_divergence_type="reverse_kl", beta=beta, label_smoothing=label_smoothing,
        loss_types=loss_types, loss_weights=loss_weights, _tp_size=1, _total_train_tokens=0,
        _metrics={"train": defaultdict(list)},
    )
    half = len(mask) // 2
    inputs = {
        "input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask),
        "completion_mask": mask,
        "ref_chosen_logps": reference.sum(1)[:half], "ref_rejected_logps": reference.sum(1)[half:],
    }
    loss = DPOTrainer._compute_loss(trainer, model, inputs, False)
    loss.backward()
    metrics = {key: values[0] for key, values in trainer._metrics["train"].items()}
    return loss.item(), sums.grad, metrics


def run_smoothed(mask, policy, reference, beta, label_smoothing):
    total, gradient = 0.0, torch.zeros(2 * PAIRS, dtype=torch.float64)
    for i in range(PAIRS):
        pick = [i, i + PAIRS]
        loss, grad, _ = run_trl(
            mask[pick], policy[pick], reference[pick], ["aot"], [1.0], beta, label_smoothing)
        total += loss / PAIRS
        gradient[pick] = grad / PAIRS
    return total, gradient


def run_dpop(policy, reference, beta, dpop_lambda):
    sums = policy.sum(1).requires_grad_()
    chosen, rejected = (sums - reference.sum(1)).chunk(2)
    loss = -F.logsigmoid(beta * (chosen - rejected - dpop_lambda * torch.relu(-chosen))).mean()
    loss.backward()
    return loss.item(), sums.grad


def case(name, source, batch, loss, gradient, **options):
    mask, policy, reference = batch
    chosen, rejected = (x.tolist() for x in policy.sum(1).chunk(2))
    ref_chosen, ref_rejected = (x.tolist() for x in reference.sum(1).chunk(2))
    chosen_tokens, rejected_tokens = (x.tolist() for x in mask.sum(1).chunk(2))
    grad_chosen, grad_rejected = (x.tolist() for x in gradient.chunk(2))
    return {
        "name": name, "source": source, "options": options,
        "logProbs": {
            "policyChosen": chosen, "policyRejected": rejected,
            "referenceChosen": ref_chosen, "referenceRejected": ref_rejected,
            "chosenTokens": chosen_tokens, "rejectedTokens": rejected_tokens,
        },
        "loss": loss, "gradChosen": grad_chosen, "gradRejected": grad_rejected,
    }


def main():
    trl_source = f"trl {trl.__version__} DPOTrainer._compute_loss"
    cases = []
    for types, weights, beta, smoothing in [
        (["sigmoid"], [1.0], 0.1, 0.0),
        (["sigmoid"], [1.0], 2.0, 0.0),
        (["ipo"], [1.0], 0.1, 0.0),
        (["ipo"], [1.0], 0.7, 0.0),
        (["hinge"], [1.0], 0.1, 0.0),
        (["hinge"], [1.0], 1.0, 0.0),
        (["robust"], [1.0], 0.3, 0.2),
        (["sft"], [1.0], 0.1, 0.0),
        (["sigmoid", "sft"], [1.0, 1.0], 0.1, 0.0),
        (["sigmoid", "hinge", "ipo", "sft"], [0.8, 0.5, 0.25, 1.5], 0.4, 0.0),
    ]:
        batch = random_batch()
        loss, gradient, metrics = run_trl(*batch, types, weights, beta, smoothing)
        cases.append(case("+".join(types), trl_source, batch, loss, gradient, beta=beta,
                          lossType=types, lossWeights=weights, labelSmoothing=smoothing))
        cases[-1]["metrics"] = {k: v for k, v in metrics.items() if k.startswith(("rewards", "logps"))}
    for smoothing in (0.1, 0.3):
        batch = random_batch()
        loss, gradient = run_smoothed(*batch, 0.5, smoothing)
        cases.append(case("cDPO", f"{trl_source}, aot, a pair at a time", batch, loss, gradient,
                          beta=0.5, lossType="sigmoid", labelSmoothing=smoothing))
    for dpop_lambda in (5.0, 50.0):
        batch = random_batch()
        loss, gradient = run_dpop(batch[1], batch[2], 0.3, dpop_lambda)
        cases.append(case("dpop", "arXiv 2402.13228, torch autograd", batch, loss, gradient,
                          beta=0.3, lossType="dpop", dpopLambda=dpop_lambda))
    versions = {"torch": torch.__version__, "trl": trl.__version__}
    path = pathlib.Path(__file__).with_name("losses.json")
    path.write_text(json.dumps({"madeBy": "make_losses.py", "versions": versions, "cases": cases},
                               indent=1) + "\n")


main()
