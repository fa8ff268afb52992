import { type Html, html } from "../html.ts";
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
export function readinessList({ readiness }: RunView): Html | null {
  if (!readiness) return null;
  const { checks, warnings, verdict } = readiness;
  const items = [
    ...checks.map(({ status, ...check }) => ({ ...check, status, mark: MARKS[status] })),
    ...warnings.map((warning) => ({
      ...warning,
      status: "warning",
      mark: ["!", "warning"] as const,
    })),
  ];
  return html`
    <section id="readiness" aria-labelledby="readiness_title">
      <h2 id="readiness_title">Readiness</h2>
      <p class="verdict">${VERDICTS[verdict]}${warnings.length > 0 && " Mind the warnings."}</p>
      <ul class="checks">${items.map(({ name, status, mark: [sign, word], figure, reason, next }) =>
        html`
          <li
            class="${status}"><span class="mark" aria-hidden="true">${sign}</span><div><strong>${name}</strong>: <span class="figure-text">${figure}</span> <span class="status">${word}</span><p>${reason}</p>${next !==
                null && html`<p class="next">Next: ${next}</p>`}</div></li>
        `
      )}</ul>
    </section>
  `;
}
