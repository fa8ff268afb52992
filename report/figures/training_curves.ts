import type { Metrics } from "../../lib/train/train_types.ts";
import { shortNumber, shortPercent } from "../format.ts";
import type { RunView } from "../run_view.ts";
import { type Curve, curveFigure, type CurveFigureOptions } from "./curve_figure.ts";
import { COLORS, type Figure, guideLine } from "./figure.ts";

type Runs = readonly Pick<RunView, "name" | "steps" | "epochs">[];
type Line = { key: string; name: string; color: string; exact?: boolean };
type CurveText = Omit<CurveFigureOptions, "curves">;

/** A line of each metric over the steps of each run, with held-out readings at epochs' ends. */
function metricFigure(runs: Runs, text: CurveText, lines: Line[], isJudged = true): Figure {
  const curves = runs.flatMap(({ steps, epochs }, i) => {
    const run = { dash: i === 0 ? "solid" : "dash" } as const;
    const label = (line: string) => runs.length === 1 ? line : `${line} ${"AB"[i]}`;
    const judged = epochs.filter(({ validation }) => validation !== null);
    return lines.flatMap(({ key, name, color, exact }): Curve[] => {
      const isOnly = lines.length === 1; // then another run can have a colour of its own
      const training = { ...run, name: label(name), color: isOnly && i > 0 ? COLORS.other : color };
      const curve = { ...training, ...series(steps, key), exact };
      const heldOut = {
        ...training,
        ...(isOnly && i === 0 && { color: COLORS.heldOut }),
        name: label(isOnly ? "held out" : `${name}, held out`),
        x: judged.map(({ step }) => step),
        y: judged.map(({ validation }) => validation![key]),
        marks: true,
      };
      return isJudged ? [curve, heldOut] : [curve];
    });
  });
  return curveFigure({ ...text, curves });
}

/** A run's letter where two are compared. */
export const runLetter = (i: number) => `Run ${"AB"[i]}`;

const series = (steps: readonly Metrics[], key: string) => ({
  x: steps.map(({ step }) => step),
  y: steps.map((line) => line[key]),
});

/** The loss over steps; DPO alone begins at ln 2. */
export function lossFigure(runs: Runs): Figure {
  const text = { id: "loss", title: "Loss", unit: "nats" };
  const lines = [{ key: "loss", name: "training", color: COLORS.policy }];
  const guide = guideLine({ y: Math.LN2 }, "ln 2");
  return metricFigure(runs, { ...text, guide }, lines);
}

/** Chosen Preference over steps: the share of pairs whose chosen answer is preferred, ties half. */
export function preferenceFigure(runs: Runs): Figure {
  const text = { id: "preference", title: "Chosen Preference", unit: "share of pairs" };
  const yaxis = { range: [0, 1.04], tickformat: ".0%" };
  const lines = [{ key: "chosenPreference", name: "training", color: COLORS.policy }];
  const guide = guideLine({ y: 0.5 }, "untrained");
  return metricFigure(runs, { ...text, yaxis, guide, format: shortPercent }, lines);
}

/** The reward margin over steps. */
export function marginFigure(runs: Runs): Figure {
  const text = { id: "margins", title: "Reward margin", unit: "nats × beta" };
  const lines = [{ key: "rewards/margins", name: "training", color: COLORS.policy }];
  return metricFigure(runs, { ...text, guide: guideLine({ y: 0 }, "") }, lines);
}

/** Both answers' rewards over steps. */
export function rewardFigure(runs: Runs): Figure {
  const text = { id: "rewards", title: "Rewards", unit: "nats × beta" };
  return metricFigure(runs, { ...text, guide: guideLine({ y: 0 }, "") }, [
    { key: "rewards/chosen", name: "chosen", color: COLORS.chosen },
    { key: "rewards/rejected", name: "rejected", color: COLORS.rejected },
  ]);
}

/** How much likelier than under the reference both answers became. */
export function driftFigure(runs: Runs): Figure {
  const text = { id: "drift", title: "Drift from the reference", unit: "log-ratio, nats" };
  return metricFigure(runs, { ...text, guide: guideLine({ y: 0 }, "reference") }, [
    { key: "drift/chosen", name: "chosen", color: COLORS.chosen },
    { key: "drift/rejected", name: "rejected", color: COLORS.rejected },
  ]);
}

/** The gradient's length before clipping. */
export function gradientFigure(runs: Runs): Figure {
  const text = { id: "gradient", title: "Gradient norm", unit: "before clipping" };
  const yaxis = { rangemode: "tozero" as const };
  const lines = [{ key: "grad_norm", name: "training", color: COLORS.policy }];
  return metricFigure(runs, { ...text, yaxis }, lines, false);
}

/** The learning rate over steps. */
export function rateFigure(runs: Runs): Figure {
  const text = { id: "rate", title: "Learning rate", unit: "per step" };
  const yaxis = { rangemode: "tozero" as const, exponentformat: "e" as const };
  const name = "learning rate";
  const lines = [{ key: "learning_rate", name, color: COLORS.policy, exact: true }];
  return metricFigure(runs, { ...text, yaxis }, lines, false);
}

/** What each step took. */
export function stepTimeFigure(runs: Runs): Figure {
  const timed = runs.map((run) => {
    const times = stepTimes(run.steps);
    const steps = run.steps.map((line, i) => ({ ...line, seconds: times[i] }));
    return { ...run, steps };
  });
  const text = { id: "step_time", title: "Step time", unit: "seconds" };
  const yaxis = { rangemode: "tozero" as const };
  const format = (value: number) => `${shortNumber(value)} s`;
  const lines = [{ key: "seconds", name: "training", color: COLORS.policy }];
  return metricFigure(timed, { ...text, yaxis, format }, lines, false);
}

/** Seconds of each step, from the tokens and the mean speed that were recorded up to each. */
export function stepTimes(steps: readonly Metrics[]): number[] {
  let tokens = 0, before = 0;
  return steps.map(({ tokens: own, tokens_per_second: speed }) => {
    tokens += own;
    const elapsed = tokens / speed, seconds = elapsed - before;
    before = elapsed;
    return seconds;
  });
}

/** All figures of a run's course. */
export function trainingFigures(runs: Runs): Figure[] {
  return [
    ...[lossFigure(runs), preferenceFigure(runs), marginFigure(runs), rewardFigure(runs)],
    ...[driftFigure(runs), gradientFigure(runs), rateFigure(runs), stepTimeFigure(runs)],
  ];
}
