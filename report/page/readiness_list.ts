import type { ReadinessCheck } from "../../mod.ts";
import { type Markup, markup } from "../markup.ts";
import type { RunView } from "../run_view.ts";

const MARKS = {
  pass: ["✓", "passed"],
  fail: ["✗", "failed"],
  unknown: ["?", "not known"],
} as const;
const VERDICTS = {
  "ready": "Ready: every check passed.",
  "not ready": "Not ready.",
  "unknown": "Not known to be ready: not everything could be judged.",
};

/** What the run is judged by, each with its figure, its reason and the next thing to try. */
export function readinessList({ readiness }: RunView): Markup | null {
  if (!readiness) return null;
  const { checks, warnings, verdict } = readiness;
  const items = [
    ...checks.map((check) => item(check, check.status, MARKS[check.status])),
    ...warnings.map((warning) => item(warning, "warning", ["!", "warning"])),
  ];
  return markup`<section id="readiness" aria-labelledby="readiness_title">
<h2 id="readiness_title">Readiness</h2>
<p class="verdict">${VERDICTS[verdict]}${warnings.length > 0 && " Mind the warnings."}</p>
<ul class="checks">${items}</ul>
</section>`;
}

function item(
  { name, figure, reason, next }: Pick<ReadinessCheck, "name" | "figure" | "reason" | "next">,
  status: string,
  [sign, word]: readonly [sign: string, word: string],
): Markup {
  return markup`<li class="${status}">
<span class="mark" aria-hidden="true">${sign}</span>
<div><strong>${name}</strong>: ${figure} <span class="status">${word}</span>
<p>${reason}</p>
${next !== null && markup`<p class="next">Next: ${next}</p>`}
</div>
</li>`;
}
