import { createHash } from "node:crypto";
import { lossOfMargin } from "./figures/loss_of_margin.ts";
import type { Figure } from "./figures/figure.ts";
import { preferenceByKind } from "./figures/preference_by_kind.ts";
import { rewardHistogram } from "./figures/reward_histogram.ts";
import { sortedMargins } from "./figures/sorted_margins.ts";
import { textLengths } from "./figures/text_lengths.ts";
import { tokenMargins } from "./figures/token_margins.ts";
import { runLetter, trainingFigures } from "./figures/training_curves.ts";
import { unsupportedDetails } from "./figures/unsupported_details.ts";
import { jsonScript, type Markup, markup, trusted } from "./markup.ts";
import { figureBlock } from "./page/figure_block.ts";
import { pairTable } from "./page/pair_table.ts";
import { pairView } from "./page/pair_view.ts";
import { readinessList } from "./page/readiness_list.ts";
import { sampleCards } from "./page/sample_cards.ts";
import { settingsTables } from "./page/settings_tables.ts";
import { sideBySide } from "./page/side_by_side.ts";
import { summary } from "./page/summary.ts";
import type { PageAssets } from "./page_assets.ts";
import type { RunView } from "./run_view.ts";

/** Options of {@link renderReport}. */
export type RenderReportOptions = {
  assets: PageAssets;
  /** The page of a run under way reloads itself so often. */
  reloadSeconds?: number;
};

/**
 * Lays a run, or two beside each other, out as one page that needs nothing else: no server, no
 * network. All text of the data is escaped, and the page's policy lets no script run but its own.
 *
 * @param runs A run, and another one to compare it with.
 * @returns HTML.
 */
export function renderReport(
  runs: readonly [RunView, RunView?],
  { assets, reloadSeconds }: RenderReportOptions,
): string {
  const shown = runs.filter((run) => run !== undefined), [run, other] = shown;
  const figures = figuresOf(shown), { style, script, plotly } = assets;
  const policy = `default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src ${
    [plotly, script].map(sourceHash).join(" ")
  }`;
  const reload = run.state === "running" ? reloadSeconds : undefined;
  const sections = sectionsOf(shown, figures);
  const drawings = Object.fromEntries(
    figures.all.map(({ id, data, layout }) => [id, { data, layout }]),
  );
  const links = sections.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`);
  const beside = other && markup` beside <bdi>${other.name}</bdi>`;
  const reloading = reload !== undefined && markup` data-reload="${reload}"`;
  const { text } = markup`${trusted("<!doctype html>")}
<html lang="en"${reloading}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="dpo-kit">
<title>DPO run ${run.name}</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>DPO run <bdi>${run.name}</bdi>${beside}</h1>
${status(run, reload)}
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>
<main id="main">
${sections.map(([, , content]) => content)}
</main>
<footer>
<p>Written by dpo-kit ${run.versions["dpo-kit"]}. Figures by Plotly.js. This page is one file and
asks no server for anything.</p>
</footer>
${jsonScript("figures", drawings)}
<script>${trusted(plotly)}</script>
<script>${trusted(script)}</script>
</body>
</html>
`;
  return text;
}

/** How the policy names an inline script: by its hash. */
function sourceHash(script: string): string {
  return `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
}

const STATES = { running: "under way", finished: "finished", stopped: "stopped before its end" };

function status({ state, steps, totalSteps }: RunView, reload: number | undefined): Markup {
  const done = Number(steps.at(-1)?.step ?? 0), of = `${done} of ${totalSteps}`;
  const bar = state === "running" && totalSteps !== null && markup`
<progress max="${totalSteps}" value="${done}" aria-label="Steps">${of}</progress> step ${of}`;
  const box = reload !== undefined && markup`
<label class="reload"><input type="checkbox" id="reload" checked> reload every ${reload} s</label>`;
  return markup`<p class="state ${state}"><span class="badge">${
    STATES[state]
  }</span>${bar}${box}</p>`;
}

type Figures = {
  training: Figure[];
  pairs: Figure[];
  evaluation: Figure[];
  all: Figure[];
};

function figuresOf(runs: readonly RunView[]): Figures {
  const [{ steps, pairs, evaluation, samples, settings }] = runs;
  const training = steps.length > 0 ? trainingFigures(runs) : [];
  const ofPairs = pairs && pairs.pairs.length > 0
    ? [
      ...[sortedMargins(pairs), rewardHistogram(pairs)],
      ...(hasSigmoid(settings) ? [lossOfMargin(pairs)] : []),
    ]
    : [];
  const ofEvaluation = evaluation
    ? [
      preferenceByKind(preferencesOf(runs)),
      unsupportedDetails(evaluation),
      ...(samples.length > 0 ? [textLengths(samples)] : []),
    ]
    : [];
  const ofTokens = pairs
    ? pairs.pairs.filter(({ tokens }) => tokens).map((pair) => tokenMargins(pair, pairs.beta))
    : [];
  const all = [...training, ...ofPairs, ...ofEvaluation, ...ofTokens];
  return { training, pairs: ofPairs, evaluation: ofEvaluation, all };
}

/** Whether DPO's own loss is among those that a run is known to have trained with. */
function hasSigmoid({ loss_type }: RunView["settings"]): boolean {
  return Array.isArray(loss_type) && loss_type.includes("sigmoid");
}

/** Whose preference is shown: of one run DPO's and the control's, of two runs each one's. */
function preferencesOf(runs: readonly RunView[]) {
  const [{ evaluation }] = runs;
  if (runs.length > 1) {
    return runs.flatMap((run, i) =>
      run.evaluation ? [{ name: runLetter(i), preference: run.evaluation.preference }] : []
    );
  }
  const control = evaluation!.control_preference;
  return [
    { name: "DPO", preference: evaluation!.preference },
    ...(control ? [{ name: "Control", preference: control }] : []),
  ];
}

type Section = [id: string, name: string, content: Markup];

function sectionsOf(runs: readonly RunView[], figures: Figures): Section[] {
  const [run] = runs, { pairs, samples, evaluation } = run;
  const sections: [string, string, Markup | null | false][] = [
    ["summary", "Summary", summary(run)],
    ["compared", "Compared", sideBySide(runs)],
    [
      "training",
      "Training",
      figures.training.length > 0 && section("training", "Training", grid(figures.training)),
    ],
    [
      "pairs",
      "Pairs",
      pairs !== null && pairs.pairs.length > 0 &&
      section("pairs", "Held-out pairs", [grid(figures.pairs), pairTable(pairs), pairView(pairs)]),
    ],
    [
      "writes",
      "Texts",
      evaluation !== null &&
      section("writes", "What the models prefer and write", [
        grid(figures.evaluation),
        sampleCards(samples),
      ]),
    ],
    ["readiness", "Readiness", readinessList(run)],
    ["settings", "Settings", settingsTables(runs)],
  ];
  return sections.filter((section): section is Section => !!section[2]);
}

function section(id: string, title: string, content: Markup | (Markup | null)[]): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}_title">
<h2 id="${id}_title">${title}</h2>
${content}
</section>`;
}

function grid(figures: readonly Figure[]): Markup {
  return markup`<div class="grid">${figures.map((figure) => figureBlock(figure))}</div>`;
}
