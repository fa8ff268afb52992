import { UserError } from "../../lib/errors.ts";
import { dpoLoss, type DpoLossOptions } from "../../lib/loss/dpo_loss.ts";
import { comparesPairs } from "../../lib/loss/loss_options.ts";
import { type LossType, lossTypes } from "../../lib/loss/loss_types.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";
import { pairWithMargin } from "./any_pairs.ts";

const NAMES = "sigmoid, ipo, hinge, robust, exo_pair, nca_pair, bco_pair, sppo_hard, aot, " +
  "aot_unpaired, apo_zero, apo_down, discopop, sigmoid_norm, dpop, sft";

Deno.test("dpoLoss() says which option is wrong, what was wanted and why", () => {
  const messages: [Partial<DpoLossOptions>, string][] = [
    [{ beta: 0 }, "beta must be a number above 0, found 0"],
    [{ beta: NaN }, "beta must be a number above 0, found NaN"],
    [{ labelSmoothing: 0.5 }, "label_smoothing must be at least 0 and below 0.5, found 0.5"],
    [{ dpopLambda: -1 }, "dpop_lambda must be 0 or more, found -1"],
    [{ discopopTau: 0 }, "discopop_tau must be above 0 and at most 1, found 0"],
    [{ ldAlpha: 1.5 }, "ld_alpha must be from 0 to 1, found 1.5"],
    [{ ldAlpha: NaN }, "ld_alpha must be from 0 to 1, found NaN"],
    [
      { fDivergenceType: "alpha_divergence", fAlphaDivergenceCoef: Infinity },
      "f_alpha_divergence_coef must be a finite number, found Infinity",
    ],
    [{ lossType: "zzzzzz" as LossType }, `loss_type must be one of ${NAMES}, found "zzzzzz"`],
    [
      { lossType: ["sft", "sigmiod" as LossType] },
      `loss_type must be one of ${NAMES}, found "sigmiod"; did you mean "sigmoid"?`,
    ],
    [
      { lossType: "bco" as LossType },
      `loss_type must be one of ${NAMES}, found "bco"; did you mean "bco_pair"?`,
    ],
    [
      { fDivergenceType: "reverse_kr" as "reverse_kl" },
      "f_divergence_type must be one of reverse_kl, forward_kl, js_divergence, alpha_divergence, " +
      'found "reverse_kr"; did you mean "reverse_kl"?',
    ],
    ...[0, -1, NaN, Infinity].map((weight): [Partial<DpoLossOptions>, string] => [
      { lossType: ["sigmoid", "sft"], lossWeights: [1, weight] },
      `loss_weights must be finite numbers above 0, found ${weight}`,
    ]),
    [
      { lossType: ["ipo", "sft"], labelSmoothing: 0.1 },
      "label_smoothing 0.1 would have no effect: it needs loss_type sigmoid, robust, exo_pair, aot " +
      "or aot_unpaired, found ipo,sft",
    ],
    [
      { dpopLambda: 5 },
      "dpop_lambda 5 would have no effect: it needs loss_type dpop, found sigmoid",
    ],
    [
      { lossType: "hinge", discopopTau: 0.1 },
      "discopop_tau 0.1 would have no effect: it needs loss_type discopop, found hinge",
    ],
    [
      { fAlphaDivergenceCoef: 0.3 },
      "f_alpha_divergence_coef 0.3 would have no effect: it needs f_divergence_type " +
      "alpha_divergence, found reverse_kl",
    ],
    [
      { lossType: ["sigmoid", "exo_pair"] },
      "exo_pair needs label_smoothing above 0, for it takes its logarithm; 1e-3 is usual",
    ],
    ...([
      "nca_pair",
      "bco_pair",
      "sppo_hard",
      "aot",
      "aot_unpaired",
      "apo_zero",
      "apo_down",
      "dpop",
    ] as const)
      .map((name): [Partial<DpoLossOptions>, string] => [
        { lossType: ["sigmoid", name], fDivergenceType: "forward_kl" },
        `f_divergence_type forward_kl does not go with loss_type ${name}, which does not stand on ` +
        "the difference of two scores; it goes with sigmoid, ipo, hinge, robust, exo_pair, " +
        "discopop, sigmoid_norm, sft",
      ]),
    [
      { lossType: "aot", useWeighting: true },
      "use_weighting does not go with loss_type aot: it sorts pairs, after which a weight has no pair",
    ],
    [
      { lossType: ["sigmoid", "sft"], useWeighting: true },
      "use_weighting does not go with loss_type sft: it is a mean over tokens, not over pairs",
    ],
  ];
  for (const [options, message] of messages) {
    const error = thrownBy(() => dpoLoss(pairWithMargin(1), { beta: 0.1, ...options }));
    assert(error instanceof UserError, message);
    assertEquals(error.message, `Cannot compute loss: ${message}`);
  }
  const unequal: DpoLossOptions = { beta: 0.1, lossType: ["sigmoid", "sft"], lossWeights: [1] };
  assertEquals(
    thrownBy(() => dpoLoss(pairWithMargin(1), unequal)).message,
    "Cannot combine losses: each of loss_type needs one of loss_weights, found 2 (sigmoid,sft) and 1 (1)",
  );
});

Deno.test("dpoLoss() knows aot_unpaired by the name that TRL gave it before", () => {
  const [now, before] = (["aot_unpaired", "aot_pair"] as const)
    .map((lossType) => dpoLoss(pairWithMargin(3), { beta: 0.1, lossType }));
  assertEquals(before, now);
  assert(comparesPairs({ lossType: ["sft", "aot_pair"] }));
  assert(!comparesPairs({ lossType: "sigmoid" }));
});

Deno.test("lossTypes has a summary for each loss that fits on a line of the help", () => {
  for (const [name, { summary }] of Object.entries(lossTypes)) {
    assert(summary.length <= 60, `${name}: ${summary.length} letters`);
  }
});
