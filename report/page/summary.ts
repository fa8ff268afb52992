import { nats } from "../../lib/evaluate/figures.ts";
import { formatBytes } from "../../lib/format_bytes.ts";
import { formatCount } from "../../lib/format_count.ts";
import { formatDuration } from "../../lib/format_duration.ts";
import { shortNumber, shortPercent, signed } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import type { RunView } from "../run_view.ts";

type Tile = { label: string; value: string; note: string; tone?: "good" | "bad" };

/** The numbers that tell most of a run, and what they come to. */
export function summary(run: RunView): Markup {
  const tiles = [
    preference(run),
    unsupported(run),
    loss(run),
    drift(run),
    ready(run),
    progress(run),
  ];
  return markup`<section id="summary" aria-labelledby="summary_title">
<h2 id="summary_title">Summary</h2>
<div class="verdict">${verdict(run).map((text) => markup`<p>${text}</p>`)}</div>
<dl class="tiles">${tiles.filter((tile) => tile !== null).map(tileBlock)}</dl>
</section>`;
}

function tileBlock({ label, value, note, tone }: Tile): Markup {
  return markup`<div class="tile ${tone ?? ""}">
<dt>${label}</dt>
<dd class="value">${value}</dd>
<dd class="note">${note}</dd>
</div>`;
}

function verdict({ verdict, state }: RunView): string[] {
  if (verdict !== null) return verdict.sentences;
  return state === "running"
    ? ["The run is under way. What the model writes is known when it has been evaluated."]
    : [
      "What the model writes was not evaluated, and preference alone proves nothing of it: run " +
      "scripts/evaluate.ts.",
    ];
}

function preference({ evaluation, epochs, steps }: RunView): Tile | null {
  const label = "Chosen Preference";
  if (evaluation) {
    const { chosen_preference, pairs, intervals } = evaluation.preference;
    const [low, high] = intervals.chosen_preference ?? [NaN, NaN];
    const interval = Number.isNaN(low)
      ? ""
      : `, 95%: ${shortPercent(low)} to ${shortPercent(high)}`;
    const note = `of ${formatCount(pairs, "held-out pair")}${interval}`;
    return { label, value: shortPercent(chosen_preference), note };
  }
  const judged = epochs.findLast(({ validation }) => validation !== null)?.validation;
  if (judged) {
    const note = `of ${formatCount(judged.pairs, "held-out pair")}`;
    return { label, value: shortPercent(judged.chosenPreference), note };
  }
  const last = steps.at(-1);
  return last
    ? { label, value: shortPercent(last.chosenPreference), note: "of the last step's pairs" }
    : null;
}

function unsupported({ evaluation, verdict }: RunView): Tile | null {
  if (!evaluation) return null;
  const { sft, dpo, control } = evaluation.generation;
  const note = control
    ? `Stage A → DPO; control ${shortPercent(control.hallucination_rate)}`
    : "Stage A → DPO";
  const tone = verdict?.againstSft === -1 ? "good" : verdict?.againstSft === 1 ? "bad" : undefined;
  const value = `${shortPercent(sft.hallucination_rate)} → ${shortPercent(dpo.hallucination_rate)}`;
  return { label: "Unsupported details", value, note, tone };
}

function loss({ epochs, steps }: RunView): Tile | null {
  const judged = epochs.findLast(({ validation }) => validation !== null);
  if (judged) {
    const { train, validation } = judged, label = "Held-out loss";
    return {
      label,
      value: shortNumber(validation!.loss),
      note: `nats; training ${nats(train.loss)}`,
    };
  }
  const last = steps.at(-1);
  return last ? { label: "Loss", value: shortNumber(last.loss), note: "nats, last step" } : null;
}

function drift({ evaluation, epochs, steps }: RunView): Tile | null {
  const judged = epochs.findLast(({ validation }) => validation !== null)?.validation;
  const metrics = evaluation?.preference ?? judged ?? steps.at(-1);
  if (!metrics) return null;
  const chosen = metrics["drift/chosen"], rejected = metrics["drift/rejected"];
  const note = `nats; rejected ${signed(rejected)}`;
  const tone = chosen < 0 ? "bad" : undefined;
  return { label: "Chosen answers' drift", value: signed(chosen), note, tone };
}

function ready({ readiness }: RunView): Tile | null {
  if (!readiness) return null;
  const { verdict, warnings, checks } = readiness;
  const failed = checks.filter(({ status }) => status === "fail").length;
  const parts = [
    failed > 0 && `${formatCount(failed, "check")} failed`,
    warnings.length > 0 && formatCount(warnings.length, "warning"),
  ].filter(Boolean);
  const tone = verdict === "ready" ? "good" : verdict === "not ready" ? "bad" : undefined;
  return { label: "Readiness", value: verdict, note: parts.join(", "), tone };
}

function progress({ steps, totalSteps, cost }: RunView): Tile | null {
  const done = Number(steps.at(-1)?.step ?? 0);
  if (done === 0 || !cost) return null;
  const of = totalSteps && totalSteps !== done ? ` of ${totalSteps.toLocaleString("en-US")}` : "";
  const left = totalSteps && totalSteps > done
    ? `, ${formatDuration(cost.elapsedMs * (totalSteps - done) / done / 1000)} left`
    : "";
  const memory = cost.peakMemoryBytes > 0 ? `, ${formatBytes(cost.peakMemoryBytes)} at most` : "";
  return {
    label: "Steps",
    value: done.toLocaleString("en-US") + of,
    note: `${formatDuration(cost.elapsedMs / 1000)}${left}; ${
      shortNumber(cost.pairsPerSecond)
    } pairs/s${memory}`,
  };
}
