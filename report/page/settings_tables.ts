import { type Markup, markup } from "../markup.ts";
import { runLetter } from "../figures/training_curves.ts";
import type { RunView } from "../run_view.ts";
import { plainTable } from "./figure_block.ts";

/** Settings, versions and what computed; of two runs side by side, what differs first. */
export function settingsTables(runs: readonly RunView[]): Markup {
  const columns = runs.map(flatSettings);
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const rows = names.map((name) => [name, ...columns.map((column) => column.get(name) ?? "–")]);
  const differing = rows.filter(([, ...values]) => new Set(values).size > 1);
  const head = ["setting", ...(runs.length === 1 ? ["value"] : runs.map((_, i) => runLetter(i)))];
  const differences = differing.length > 0
    ? plainTable("What differs", { head, rows: differing })
    : markup`<p>Nothing.</p>`;
  return markup`<section id="settings" aria-labelledby="settings_title">
<h2 id="settings_title">Settings and versions</h2>
${runs.length > 1 && markup`<h3>What differs</h3>${differences}`}
<details class="all-settings">
<summary>All ${rows.length} settings</summary>
${plainTable("All settings", { head, rows })}
</details>
</section>`;
}

/** Nested settings as one list of names with dots. */
function flatSettings({ settings, versions, backend, evaluation }: RunView): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (name: string, value: unknown) => {
    if (Array.isArray(value)) found.set(name, value.join(", "));
    else if (typeof value === "object" && value !== null) {
      for (const [key, part] of Object.entries(value)) visit(name ? `${name}.${key}` : key, part);
    } else if (value !== null && value !== undefined) found.set(name, String(value));
  };
  visit("", settings);
  visit("evaluation", evaluation?.settings);
  visit("version", versions);
  visit("backend", backend);
  return found;
}
