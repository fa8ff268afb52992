import type { PlotData } from "plotly.js";
import { assert, assertEquals } from "../../lib/std.ts";
import { curveFigure, movingMean, thin } from "../../report/figures/curve_figure.ts";
import { type Figure, plotText } from "../../report/figures/figure.ts";
import { lossOfMargin } from "../../report/figures/loss_of_margin.ts";
import { preferenceByKind } from "../../report/figures/preference_by_kind.ts";
import { makeBins, median, rewardHistogram } from "../../report/figures/reward_histogram.ts";
import { sortedMargins } from "../../report/figures/sorted_margins.ts";
import { textLengths } from "../../report/figures/text_lengths.ts";
import { tokenMargins, tokenParts } from "../../report/figures/token_margins.ts";
import {
  lossFigure,
  stepTimeFigure,
  stepTimes,
  trainingFigures,
} from "../../report/figures/training_curves.ts";
import { unsupportedDetails } from "../../report/figures/unsupported_details.ts";
import { assertClose } from "../close.ts";
import { HOSTILE, madeUpRun } from "./made_up_run.ts";

const run = madeUpRun(), pairs = run.pairs!;
const traces = ({ data }: Figure) => data as Partial<PlotData>[];
const numbers = (values: unknown) => values as number[];

Deno.test("curveFigure() draws a long line faint and as its mean, and leaves out what is no number", () => {
  const x = Array.from({ length: 2000 }, (_, i) => i + 1), y = x.map((i) => i % 2);
  y[10] = NaN;
  const text = { id: "a", title: "A", unit: "nats" };
  const figure = curveFigure({ ...text, curves: [{ name: "noise", color: "#000000", x, y }] });
  const [raw, mean] = traces(figure);
  assertEquals([raw.opacity, raw.showlegend, mean.opacity], [0.3, false, undefined]);
  assert(raw.x!.length <= 600 && raw.x!.length === mean.y!.length);
  assert(numbers(mean.y).every((value) => Math.abs(value - 0.5) < 0.2));
  assert(figure.summary.startsWith("noise: from 0.497 to 0.497. Means"), figure.summary);
  const none = curveFigure({ ...text, curves: [{ name: "none", color: "#000000", x, y: [] }] });
  assertEquals([none.data, none.summary], [[], "Nothing was recorded."]);
});

Deno.test("thin() keeps a line's mean and movingMean() a constant", () => {
  const x = Array.from({ length: 1000 }, (_, i) => i), y = x.map((i) => i * i);
  const thinned = thin({ x, y }, 100);
  assertEquals(thinned.x.length, 100);
  const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
  assertClose(mean(thinned.y), mean(y), { relative: 1e-12 });
  assertEquals(movingMean([3, 3, 3, 3], 2), [3, 3, 3, 3]);
  assertEquals(movingMean([0, 6, 0], 1), [3, 2, 3]);
});

Deno.test("stepTimes() finds each step's time in the mean speeds up to it", () => {
  const tokens = [10, 30, 20], seconds = [1, 2, 4];
  let spent = 0, seen = 0;
  const steps = tokens.map((own, i) => {
    [spent, seen] = [spent + seconds[i], seen + own];
    return { tokens: own, tokens_per_second: seen / spent };
  });
  assertClose(stepTimes(steps), seconds, { relative: 1e-12 });
});

Deno.test("trainingFigures() lays a second run's lines dashed over the first one's", () => {
  const other = { ...madeUpRun({ seed: 2 }), name: "other" };
  const one = trainingFigures([run]), two = trainingFigures([run, other]);
  assertEquals(one.map(({ id }) => id), [
    ...["loss", "preference", "margins", "rewards", "drift", "gradient", "rate", "step_time"],
  ]);
  one.forEach((figure, i) => assertEquals(two[i].data.length, 2 * figure.data.length));
  const dashes = traces(two[0]).map(({ line }) => line!.dash);
  assertEquals(dashes, ["solid", "solid", "solid", "dash", "dash", "dash"]);
  assert(traces(two[0])[0].name!.endsWith(" A"));
  const held = traces(lossFigure([run])).at(-1)!;
  assertEquals([held.x, held.y], [[60, 120], [0.5, 0.4]]);
  assert(numbers(traces(stepTimeFigure([run]))[1].y).every((time) => Math.abs(time - 0.5) < 1e-9));
});

Deno.test("rewardHistogram() counts each answer once", () => {
  for (const { y } of traces(rewardHistogram(pairs))) {
    assertEquals(numbers(y).reduce((a, b) => a + b), pairs.pairs.length);
  }
  assertEquals(makeBins([2, 2], 30), { start: 1.5, width: 1, count: 1 });
  assertEquals([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5]);
});

Deno.test("sortedMargins() marks pairs that are ranked the wrong way, and ties, by sign too", () => {
  const figure = sortedMargins(pairs), [wrong, tied, right] = traces(figure);
  assertEquals([wrong.x!.length, tied.x!.length, right.x!.length], [8, 1, 31]);
  assertEquals([wrong.marker!.symbol, right.marker!.symbol], ["x", "circle"]);
  assert(figure.summary.startsWith("8 of 40 pairs are ranked the wrong way, 1 tied"));
  const all = [wrong, tied, right].flatMap(({ y }) => numbers(y));
  assertEquals(all, all.toSorted((a, b) => a - b));
});

Deno.test("lossOfMargin() sets each pair on the curve", () => {
  const [curve, points] = traces(lossOfMargin(pairs));
  assertClose(numbers(curve.y)[60], Math.LN2, { absolute: 1e-12 });
  const expected = numbers(points.x).map((margin) => Math.log1p(Math.exp(-margin)));
  assertClose(numbers(points.y), expected, { absolute: 1e-12 });
  const symbols = points.marker!.symbol as string[];
  assertEquals([symbols[7], symbols[0], symbols[1]], ["square", "x", "circle"]); // a tie comes eighth
});

Deno.test("tokenParts() add up to the pair's margin, and tokenMargins() shows their way there", () => {
  for (const pair of pairs.pairs.slice(0, 12)) {
    const { policy_chosen, policy_rejected, reference_chosen, reference_rejected } = pair;
    const margin = 0.1 * (policy_chosen - reference_chosen - policy_rejected + reference_rejected);
    const parts = tokenParts(pair, 0.1);
    assertEquals(parts.length, 6); // three behind the common beginning, on each side
    assertEquals(parts.filter(({ differs }) => differs).map(({ text }) => text), [
      " left",
      " right",
    ]);
    assertClose(parts.reduce((sum, { adds }) => sum + adds, 0), margin, { absolute: 1e-9 });
    assertClose(numbers(traces(tokenMargins(pair, 0.1))[2].y).at(-1)!, margin, { absolute: 1e-9 });
  }
  assertEquals(tokenParts(pairs.pairs[20], 0.1), []);
});

Deno.test("tokenMargins() lists all tokens behind the common beginning, as they stand", () => {
  const texts = Array.from({ length: 30 }, (_, i) => ` t${i}`), zeros = texts.map(() => 0);
  const chosen = { texts, policy: zeros.map((_, i) => -i), reference: zeros };
  const rejected = {
    texts: texts.slice(0, 20),
    policy: zeros.slice(10),
    reference: zeros.slice(10),
  };
  const pair = { ...pairs.pairs[0], tokens: { shared: 10, chosen, rejected } };
  const { rows } = tokenMargins(pair, 0.5).table;
  assertEquals(rows.length, 20 + 10);
  assertEquals(rows[0], ["␣t10", "chosen 11", "−10", "0", "−10", "−5"]);
  assertEquals(rows[19].slice(0, 2), ["␣t29", "chosen 30"]);
  assertEquals(rows.slice(20).map(([token]) => token), rows.slice(0, 10).map(([token]) => token));
});

Deno.test("preferenceByKind(), unsupportedDetails() and textLengths() carry intervals, models and counts", () => {
  const evaluation = run.evaluation!, { preference } = evaluation;
  const [dpo] = traces(preferenceByKind([{ name: "DPO", preference }]));
  assertEquals(numbers(dpo.x), [preference.by_kind.side.chosen_preference]);
  const [rates] = traces(unsupportedDetails(evaluation));
  assertEquals(rates.x, ["Stage A", "DPO"]);
  const { error_y } = rates as { error_y: { array: number[] } };
  const [, high] = evaluation.generation.sft.intervals.hallucination_rate!;
  assertClose(error_y.array[0], high - numbers(rates.y)[0], { absolute: 1e-12 });
  for (const { y } of traces(textLengths(run.samples))) {
    assertClose(numbers(y).reduce((a, b) => a + b), 1, { absolute: 1e-12 });
  }
});

Deno.test("figures hold no text of the data in which Plotly would find a tag", () => {
  const hostile = madeUpRun({ hostile: true }), record = hostile.pairs!;
  const { preference } = hostile.evaluation!;
  const figures = [
    ...[sortedMargins(record), lossOfMargin(record), preferenceByKind([{ name: "a", preference }])],
    ...record.pairs.slice(0, 12).map((pair) => tokenMargins(pair, 0.1)),
  ];
  for (const { data, layout } of figures) {
    const drawn = JSON.stringify([data, layout]).replaceAll("<br>", "").replaceAll(
      "<extra></extra>",
      "",
    );
    assert(!drawn.includes("<"), drawn.slice(0, 2000));
  }
  assertEquals(plotText("<b>&"), "&lt;b&gt;&amp;");
  assert(HOSTILE.every((text) => !plotText(text).includes("<")));
});
