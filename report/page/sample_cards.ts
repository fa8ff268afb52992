import type { UnsupportedDetail } from "../../mod.ts";
import { type Markup, markup } from "../markup.ts";
import { type Sample, WRITER_NAMES, WRITERS } from "../run_view.ts";

/** Samples that a page shows: those in which the models differ most come first. */
const MOST_SAMPLES = 24;

/** What each model wrote for the same prompts, with unsupported details marked. */
export function sampleCards(samples: readonly Sample[]): Markup | null {
  if (samples.length === 0) return null;
  const shown = samples.map((sample, i) => ({ sample, number: i + 1 }))
    .toSorted((a, b) => interest(b.sample) - interest(a.sample)).slice(0, MOST_SAMPLES);
  const some = shown.length < samples.length && `${shown.length} of ${samples.length} prompts. `;
  return markup`<h3 id="samples_title">Samples side by side</h3>
<p>${some}Where the models differ most stands first. <mark class="bad">Marked</mark> are details
that the prompt doesn't bear out, as the meter reads it; it works by rules and is no clinician.</p>
<ol class="samples">${shown.map(({ sample, number }) => card(sample, number))}</ol>`;
}

/** How much a sample tells: unlike counts of unsupported details first, then any, then unlike texts. */
function interest({ texts }: Sample): number {
  const found = WRITERS.flatMap((writer) => texts[writer] ?? []);
  const counts = found.map(({ unsupported }) => unsupported.length);
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const least = counts.reduce((a, b) => Math.min(a, b), Infinity);
  return 100 * (most - least) + 10 * most + new Set(found.map(({ text }) => text)).size;
}

function card({ prompt, reference, texts }: Sample, number: number): Markup {
  const columns = WRITERS.filter((writer) => texts[writer]).map((writer) =>
    textColumn(WRITER_NAMES[writer], marked(texts[writer]!))
  );
  return markup`<li class="sample">
<details>
<summary>Prompt ${number}: <bdi>${firstWords(prompt)}</bdi></summary>
<p class="text" dir="auto">${prompt}</p>
</details>
<div class="columns">${textColumn("Chosen answer", reference)}${columns}</div>
</li>`;
}

function textColumn(name: string, text: Markup | string): Markup {
  return markup`<div><h4>${name}</h4><p class="text" dir="auto">${text}</p></div>`;
}

function firstWords(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 90 ? `${line.slice(0, 90).toWellFormed()}…` : line;
}

/** A text with the details marked that its prompt doesn't bear out. */
function marked({ text, unsupported }: { text: string; unsupported: UnsupportedDetail[] }): Markup {
  const parts: (Markup | string)[] = [];
  let at = 0;
  for (const { start, end, kind } of unsupported.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue; // a detail inside another one
    const detail = text.slice(start, end), why = `not borne out: ${kind}`;
    parts.push(
      text.slice(at, start),
      markup`<mark class="bad" title="${why}">${detail}<span class="sr"> (${why})</span></mark>`,
    );
    at = end;
  }
  return markup`${[...parts, text.slice(at)]}`;
}
