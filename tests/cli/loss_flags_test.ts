import { readFlags } from "../../scripts/cli/flags.ts";
import { lossFlags, lossOptions } from "../../scripts/cli/loss_flags.ts";
import { assertEquals } from "../../lib/std.ts";

Deno.test("lossOptions() takes each flag to the option of its name", () => {
  const typed = {
    beta: "0.2",
    loss_type: "sigmoid,sft",
    loss_weights: "1,0.3",
    label_smoothing: "0.4",
    f_divergence_type: "alpha_divergence",
    f_alpha_divergence_coef: "0.6",
    ld_alpha: "0.7",
    discopop_tau: "0.8",
    dpop_lambda: "9",
  };
  const args = Object.entries(typed).map(([name, value]) => `--${name}=${value}`);
  const flags = readFlags([...args, "--use_weighting"], lossFlags);
  assertEquals(Object.keys(lossFlags).sort(), [...Object.keys(typed), "use_weighting"].sort());
  assertEquals({ ...lossOptions(flags) }, {
    beta: 0.2,
    lossType: ["sigmoid", "sft"],
    lossWeights: [1, 0.3],
    labelSmoothing: 0.4,
    fDivergenceType: "alpha_divergence",
    fAlphaDivergenceCoef: 0.6,
    ldAlpha: 0.7,
    useWeighting: true,
    discopopTau: 0.8,
    dpopLambda: 9,
  });
});
