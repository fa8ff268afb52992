import { z } from "zod";
import { F_DIVERGENCES } from "../loss/f_divergence.ts";
import type { LossOptions } from "../loss/loss_options.ts";
import { currentLossName, type LossType } from "../loss/loss_types.ts";

/** The loss of a run by the command line's names; what an earlier run's file lacks was off. */
export const lossSettingsSchema = z.object({
  beta: z.number().positive(),
  loss_type: z.array(z.string()),
  loss_weights: z.array(z.number()),
  label_smoothing: z.number(),
  dpop_lambda: z.number().nullable().default(null),
  discopop_tau: z.number().nullable().default(null),
  f_divergence_type: z.enum(F_DIVERGENCES).default("reverse_kl"),
  f_alpha_divergence_coef: z.number().nullable().default(null),
  ld_alpha: z.number().nullable().default(null),
  use_weighting: z.boolean().default(false),
});

export type LossSettings = z.infer<typeof lossSettingsSchema>;

/** The settings of a loss that was asked for; null where its default holds. */
export function lossSettings({ beta = 0.1, ...options }: Partial<LossOptions>): LossSettings {
  const names = [options.lossType ?? "sigmoid"].flat();
  return {
    beta,
    loss_type: names.map(currentLossName),
    loss_weights: options.lossWeights ?? names.map(() => 1),
    label_smoothing: options.labelSmoothing ?? 0,
    dpop_lambda: options.dpopLambda ?? null,
    discopop_tau: options.discopopTau ?? null,
    f_divergence_type: options.fDivergenceType ?? "reverse_kl",
    f_alpha_divergence_coef: options.fAlphaDivergenceCoef ?? null,
    ld_alpha: options.ldAlpha ?? null,
    use_weighting: options.useWeighting ?? false,
  };
}

/** The loss that a run's settings describe. */
export function lossOf(settings: LossSettings): LossOptions {
  return {
    beta: settings.beta,
    lossType: settings.loss_type as LossType[],
    lossWeights: settings.loss_weights,
    labelSmoothing: settings.label_smoothing,
    dpopLambda: settings.dpop_lambda ?? undefined,
    discopopTau: settings.discopop_tau ?? undefined,
    fDivergenceType: settings.f_divergence_type,
    fAlphaDivergenceCoef: settings.f_alpha_divergence_coef ?? undefined,
    ldAlpha: settings.ld_alpha ?? undefined,
    useWeighting: settings.use_weighting,
  };
}
