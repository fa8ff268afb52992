import { didYouMean } from "../did_you_mean.ts";
import { UserError } from "../errors.ts";
import { divergenceScore, F_DIVERGENCES, type FDivergence, type Score } from "./f_divergence.ts";
import {
  currentLossName,
  FORMER_LOSS_NAMES,
  type LossEntry,
  type LossKnob,
  type LossName,
  type LossType,
  lossTypes,
} from "./loss_types.ts";
import type { PairLossKnobs } from "./pair_loss.ts";

/** Which loss, and its knobs. */
export type LossOptions = {
  /** Larger holds the policy closer to the reference; 0.1 is usual. */
  beta: number;
  /** One loss or several, see {@link lossTypes}; "sigmoid" (DPO) unless given. */
  lossType?: LossName | LossName[];
  /** A weight above 0 for each of several losses; all 1 unless given. */
  lossWeights?: number[];
  /**
   * Share of pairs believed to be labelled the wrong way, 0 unless given. In a mix every loss that
   * knows it reads it, `sigmoid` too, whose form in TRL has none.
   */
  labelSmoothing?: number;
  /** Strength of DPO-Positive's penalty, 50 unless given (`dpop`). */
  dpopLambda?: number;
  /** Width of the blend, 0.05 unless given (`discopop`). */
  discopopTau?: number;
  /** What the distance from the reference is measured by, see `divergenceScore`. */
  fDivergenceType?: FDivergence;
  /** Alpha of `alpha_divergence`, 0.5 unless given. */
  fAlphaDivergenceCoef?: number;
  /**
   * Weight from 0 to 1 of the tokens beyond the shorter answer's length, for both models: 0 leaves
   * them out, 1 (unless given) takes them as the others. LD-DPO, arXiv 2409.06411; `sft` takes all
   * tokens whole.
   */
  ldAlpha?: number;
  /** Weighs each pair by how likely the policy is to write it: WPO, see `wpoWeights`. */
  useWeighting?: boolean;
};

/** What {@link chooseLosses} makes of options. */
export type ChosenLosses = {
  terms: { name: LossType; entry: LossEntry; weight: number }[];
  knobs: Omit<PairLossKnobs, "meanChosenTokens">;
  /** An answer's score from its log-ratio. */
  score: (logRatio: number) => Score;
  /** What of the last tokens' log-probabilities is left out: `1 - ldAlpha`. */
  tailLeftOut: number;
  useWeighting: boolean;
};

const FLAG_OF: Record<LossKnob, string> = {
  labelSmoothing: "label_smoothing",
  dpopLambda: "dpop_lambda",
  discopopTau: "discopop_tau",
};

/**
 * Fills in defaults, and refuses what would be wrong or without effect.
 *
 * @throws {UserError} If an option is out of its range, a name is unknown, or two don't go together.
 */
export function chooseLosses(options: LossOptions): ChosenLosses {
  const { beta, labelSmoothing = 0, dpopLambda = 50, discopopTau = 0.05 } = options;
  const { fDivergenceType = "reverse_kl", fAlphaDivergenceCoef: alpha = 0.5 } = options;
  const { ldAlpha = 1, useWeighting = false } = options;
  const terms = chooseTerms(options);
  check("beta", beta > 0 && beta < Infinity, "a number above 0", beta);
  const isShare = labelSmoothing >= 0 && labelSmoothing < 0.5;
  check("label_smoothing", isShare, "at least 0 and below 0.5", labelSmoothing);
  check("dpop_lambda", dpopLambda >= 0 && dpopLambda < Infinity, "0 or more", dpopLambda);
  const isWidth = discopopTau > 0 && discopopTau <= 1;
  check("discopop_tau", isWidth, "above 0 and at most 1", discopopTau);
  check("f_alpha_divergence_coef", Number.isFinite(alpha), "a finite number", alpha);
  check("ld_alpha", ldAlpha >= 0 && ldAlpha <= 1, "from 0 to 1", ldAlpha);
  checkKnobs(terms, options);
  checkDivergence(terms, options);
  checkWeighting(terms, useWeighting);
  return {
    terms,
    knobs: { beta, labelSmoothing, dpopLambda, discopopTau },
    score: (logRatio) => divergenceScore(fDivergenceType, logRatio, alpha),
    tailLeftOut: 1 - ldAlpha,
    useWeighting,
  };
}

/** Whether a pair's loss depends on the others of its batch, which must then be whole. */
export function comparesPairs({ lossType = "sigmoid" }: Pick<LossOptions, "lossType">): boolean {
  return [lossType].flat().some((name) => "batchLoss" in lossTypes[currentLossName(name)]);
}

type Terms = ChosenLosses["terms"];

function chooseTerms({ lossType = "sigmoid", lossWeights }: LossOptions): Terms {
  const names = [lossType].flat(), weights = lossWeights ?? names.map(() => 1);
  if (names.length === 0 || names.length !== weights.length) {
    throw new UserError(
      `Cannot combine losses: each of loss_type needs one of loss_weights, found ${names.length} ` +
        `(${names.join(",")}) and ${weights.length} (${weights.join(",")})`,
      { field: "loss_weights" },
    );
  }
  const known = Object.keys(lossTypes);
  return names.map((typed, i) => {
    checkName("loss_type", typed, known, Object.keys(FORMER_LOSS_NAMES));
    const isWeight = weights[i] > 0 && weights[i] < Infinity;
    check("loss_weights", isWeight, "finite numbers above 0", weights[i]);
    const name = currentLossName(typed);
    return { name, entry: lossTypes[name], weight: weights[i] };
  });
}

/** Refuses a knob that no loss would read, and EXO without the one that it can't do without. */
function checkKnobs(terms: Terms, options: LossOptions): void {
  for (const [knob, flag] of Object.entries(FLAG_OF) as [LossKnob, string][]) {
    const reads = ({ reads }: LossEntry) => reads?.includes(knob) ?? false;
    const value = options[knob];
    if (!value || terms.some(({ entry }) => reads(entry))) continue;
    const readers = namesWhere(reads).join(", ").replace(/, (?=[^ ]+$)/, " or ");
    fail(
      flag,
      `${flag} ${value} would have no effect: it needs loss_type ${readers}, found ${named(terms)}`,
    );
  }
  if (terms.some(({ name }) => name === "exo_pair") && !options.labelSmoothing) {
    const why = "exo_pair needs label_smoothing above 0, for it takes its logarithm";
    fail("label_smoothing", `${why}; 1e-3 is usual`);
  }
}

/** An f-divergence leaves a term that cancels in the difference of two scores alone. */
function checkDivergence(terms: Terms, options: LossOptions): void {
  const { fDivergenceType: type = "reverse_kl", fAlphaDivergenceCoef: alpha } = options;
  checkName("f_divergence_type", type, F_DIVERGENCES);
  if (alpha !== undefined && type !== "alpha_divergence") {
    const needs = `it needs f_divergence_type alpha_divergence, found ${type}`;
    fail(
      "f_alpha_divergence_coef",
      `f_alpha_divergence_coef ${alpha} would have no effect: ${needs}`,
    );
  }
  const other = terms.find(({ entry }) => !entry.takesDivergence);
  if (type === "reverse_kl" || !other) return;
  const takers = namesWhere(({ takesDivergence }) => takesDivergence === true).join(", ");
  fail(
    "f_divergence_type",
    `f_divergence_type ${type} does not go with loss_type ${other.name}, which does not stand on ` +
      `the difference of two scores; it goes with ${takers}`,
  );
}

function checkWeighting(terms: Terms, useWeighting: boolean): void {
  const other = terms.find(({ entry }) => entry.unweighable !== undefined);
  if (!useWeighting || !other) return;
  const why = other.entry.unweighable;
  fail("use_weighting", `use_weighting does not go with loss_type ${other.name}: ${why}`);
}

function namesWhere(test: (entry: LossEntry) => boolean): string[] {
  return Object.entries<LossEntry>(lossTypes).filter(([, entry]) => test(entry)).map(([name]) =>
    name
  );
}

const named = (terms: Terms) => terms.map(({ name }) => name).join(",");

function checkName(
  field: string,
  typed: string,
  known: readonly string[],
  former: readonly string[] = [],
): void {
  if (known.includes(typed) || former.includes(typed)) return;
  const nearest = didYouMean(typed, known);
  fail(field, `${field} must be one of ${known.join(", ")}, found "${typed}"${nearest}`);
}

function check(field: string, isRight: boolean, wanted: string, found: number): void {
  if (!isRight) fail(field, `${field} must be ${wanted}, found ${found}`);
}

function fail(field: string, problem: string): never {
  throw new UserError(`Cannot compute loss: ${problem}`, { field });
}
