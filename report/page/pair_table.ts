import type { PairRecord, PairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { rankOf, rewardsOf } from "../figures/pair_rewards.ts";
import { signed } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { changedPart } from "./changed_part.ts";

const COLUMNS = [
  ["row", "Pair", "number"],
  ["kind", "Kind", "text"],
  ["margin", "Margin", "number"],
  ["chosen", "Chosen reward", "number"],
  ["rejected", "Rejected reward", "number"],
  ["tokens", "Tokens", "number"],
] as const;

type RatedPair = PairRecord & { rewards: ReturnType<typeof rewardsOf>; margin: number };

/** All pairs that were read, to be sorted, filtered and searched. */
export function pairTable({ pairs, beta, total }: PairsRecord): Markup {
  const kinds = [...new Set(pairs.map(({ kind }) => kind))].sort();
  const rows = pairs.map((pair) => {
    const rewards = rewardsOf(pair, beta);
    return { ...pair, rewards, margin: rewards.margin };
  }).toSorted((a, b) => a.margin - b.margin);
  const note = total > pairs.length
    ? ` ${pairs.length} of ${total}, spread evenly, were read.`
    : "";
  return markup`
    <h3 id="pair_table_title">All pairs</h3>
    <p>Rewards and margins in nats × beta; a margin below 0 is a pair ranked the wrong way.${note}</p>
    <p class="print-only">On paper the first 40 stand; the page itself holds all.</p>
    ${controls(kinds, pairs.length)}
    <div class="scroll tall" tabindex="0" role="region" aria-labelledby="pair_table_title">
      <table class="pairs" id="pair_table">
        <thead>
          <tr>${COLUMNS.map(columnHead)}<th scope="col">Where the answers differ</th></tr>
        </thead>
        <tbody>${rows.map(pairRow)}</tbody>
      </table>
    </div>
  `;
}

function controls(kinds: readonly string[], count: number): Markup {
  const options = kinds.map((kind) => markup`<option value="${kind}">${kind}</option>`);
  return markup`
    <form class="controls" id="pair_controls" role="search" aria-label="Pairs">
      <label>Search <input type="search" id="pair_search" autocomplete="off"></label>
      <label>Kind <select id="pair_kind"><option value="">all kinds</option>${options}</select></label>
      <label>Ranked <select id="pair_rank">
          <option value="">all</option>
          <option value="wrong">the wrong way</option>
          <option value="tie">tied</option>
          <option value="right">right</option>
        </select></label>
      <output id="pair_count" aria-live="polite">${count} pairs</output>
    </form>
  `;
}

function columnHead([key, label, type]: typeof COLUMNS[number]): Markup {
  const sort = key === "margin" && markup`aria-sort="ascending"`; // as the rows come
  return markup`
    <th scope="col" data-key="${key}" data-type="${type}" ${sort}>
      <button type="button">${label}</button>
    </th>
  `;
}

function pairRow({ margin, rewards, ...pair }: RatedPair): Markup {
  const { row, kind, prompt, chosen, rejected } = pair;
  const rank = rankOf(margin);
  const flag = rank === "wrong" &&
    markup`<span class="flag" title="ranked the wrong way"> ✗<span class="sr"> mis-ranked</span></span>`;
  const name = pair.tokens ? markup`<a href="#pair_${row}_view">${row}</a>` : row;
  const words = [prompt, chosen, rejected].join("\n").toLowerCase();
  return markup`
    <tr data-row="${row}" data-kind="${kind}" data-margin="${margin}"
      data-chosen="${rewards.chosen}"
      data-rejected="${rewards.rejected}" data-tokens="${pair.tokens_chosen}" data-rank="${rank}"
      data-text="${words}">
      <th scope="row">${name}</th>
      <td><bdi>${kind}</bdi></td>
      <td class="${rank}">${signed(margin)}${flag}</td>
      <td>${signed(rewards.chosen)}</td>
      <td>${signed(rewards.rejected)}</td>
      <td>${pair.tokens_chosen} / ${pair.tokens_rejected}</td>
      <td class="differ">
        <div><span class="side chosen">chosen</span> ${changedPart(chosen, rejected)}</div>
        <div><span class="side rejected">rejected</span> ${changedPart(rejected, chosen)}</div>
      </td>
    </tr>
  `;
}
