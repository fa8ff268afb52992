import { formatDuration } from "../format_duration.ts";
import type { Metrics } from "../train/train_types.ts";
import type { Figure, FigureAxis, FigureTrace } from "./figure.ts";

/** Where a run stands, as far as its figure shows it. */
export type TrainingState = {
  steps: readonly Metrics[];
  /** What the held-out rows said at epochs' ends, by step. */
  validation: readonly { step: number; metrics: Metrics }[];
  /** Steps of the whole run, and those that were there when it began. */
  totalSteps: number;
  resumedStep: number;
  elapsedMs: number;
  /** How it ended, once it has. */
  end?: "finished" | "aborted";
};

type Curve = { key: string; name: string; held?: boolean };

/** What stands in a panel; a run shows those whose numbers it has. */
const PANELS: { title: string; curves: Curve[] }[] = [
  { title: "loss, nats", curves: [{ key: "loss", name: "loss", held: true }] },
  {
    title: "Chosen Preference",
    curves: [{ key: "chosenPreference", name: "preference", held: true }],
  },
  {
    title: "log-probability, change in nats",
    curves: [{ key: "drift/chosen", name: "chosen" }, { key: "drift/rejected", name: "rejected" }],
  },
];

/** Points of a curve; where there are more steps, a point is the mean of several. */
const MOST_POINTS = 80;
const GAP = 0.09;

/** Draws a run's curves, with where it stands and what time is left in the title. */
export function trainingFigure(state: TrainingState): Figure {
  const [first = {}] = state.steps;
  const panels = PANELS.filter(({ curves }) => curves.some(({ key }) => key in first));
  const width = (1 - GAP * (panels.length - 1)) / Math.max(1, panels.length);
  const data: FigureTrace[] = [], layout: Figure["layout"] = { title: { text: titleOf(state) } };
  panels.forEach(({ title, curves }, i) => {
    const n = i === 0 ? "" : i + 1, from = i * (width + GAP);
    const axis: FigureAxis = { title: { text: "step" }, domain: [from, from + width] };
    layout[`xaxis${n}` as "xaxis"] = { ...axis, range: [0, state.totalSteps] };
    layout[`yaxis${n}` as "yaxis"] = { title: { text: title }, anchor: `x${n}` };
    const place = { xaxis: `x${n}`, yaxis: `y${n}` };
    for (const curve of curves) {
      data.push(...tracesOf(curve, state).map((t) => ({ ...t, ...place })));
    }
  });
  return { data, layout };
}

function titleOf({ steps, totalSteps, resumedStep, elapsedMs, end }: TrainingState): string {
  const step = steps.at(-1)?.step ?? resumedStep, spent = formatDuration(elapsedMs / 1000);
  const where = `step ${step} of ${totalSteps}`;
  if (end === "finished") return `${where}, done in ${spent}`;
  if (end === "aborted") return `stopped at ${where}, after ${spent}`;
  const done = step - resumedStep, left = (totalSteps - step) * elapsedMs / 1000 / done;
  return done > 0 ? `${where}, ${formatDuration(left)} left` : where;
}

function tracesOf({ key, name, held }: Curve, { steps, validation }: TrainingState): FigureTrace[] {
  const points = meansOf(steps, key);
  const curve: FigureTrace = { ...points, name, mode: "lines" };
  const seen = validation.filter(({ metrics }) => key in metrics);
  if (!held || seen.length === 0) return [curve];
  const markers: FigureTrace = {
    x: seen.map(({ step }) => step),
    y: seen.map(({ metrics }) => metrics[key]),
    name: `${name}, held out`,
    mode: "markers",
    marker: { size: 6 },
  };
  return [curve, markers];
}

/** Means over stretches of equal length, each at its middle. */
function meansOf(steps: readonly Metrics[], key: string): { x: number[]; y: number[] } {
  const length = Math.ceil(steps.length / MOST_POINTS) || 1, x: number[] = [], y: number[] = [];
  for (let start = 0; start < steps.length; start += length) {
    const stretch = steps.slice(start, start + length);
    const mean = (name: string) => stretch.reduce((sum, m) => sum + m[name], 0) / stretch.length;
    x.push(mean("step"));
    y.push(Number(mean(key).toPrecision(5)));
  }
  return { x, y };
}
