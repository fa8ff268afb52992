import type { LossOptions } from "../../lib/loss/loss_options.ts";
import { assertEquals } from "../../lib/std.ts";
import { lossOf, lossSettings, lossSettingsSchema } from "../../lib/train/loss_settings.ts";

Deno.test("lossOf() gives back the loss that lossSettings() wrote down, through JSON", () => {
  const asked: Required<LossOptions> = {
    beta: 0.3,
    lossType: ["discopop", "dpop"],
    lossWeights: [0.5, 2],
    labelSmoothing: 0.1,
    dpopLambda: 7,
    discopopTau: 0.2,
    fDivergenceType: "alpha_divergence",
    fAlphaDivergenceCoef: 0.7,
    ldAlpha: 0.4,
    useWeighting: true,
  };
  const written = JSON.parse(JSON.stringify(lossSettings(asked)));
  assertEquals(lossOf(lossSettingsSchema.parse(written)), asked);
});

Deno.test("lossSettingsSchema reads what was written before there were other losses", () => {
  const { beta, loss_type, loss_weights, label_smoothing, ...off } = lossSettings({});
  const before = { beta, loss_type, loss_weights, label_smoothing };
  assertEquals(lossSettingsSchema.parse(before), { ...before, ...off });
});

Deno.test("lossSettings() writes a loss under its present name", () => {
  assertEquals(lossSettings({ lossType: "aot_pair" }).loss_type, ["aot_unpaired"]);
});
