import type { PairRecord, PairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { rankOf, rewardsOf } from "../figures/pair_rewards.ts";
import { commonEnd, tokenMargins, visible } from "../figures/token_margins.ts";
import { shortNumber, signed } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { figureBlock } from "./figure_block.ts";

/** Log-ratios from which on a token has its full colour, in nats, unless the pairs' own are smaller. */
const FULL_COLOUR = 2;

/** The pairs that were kept token by token, the worst margin first, each folded until it is asked for. */
export function pairView({ pairs, beta }: PairsRecord): Markup | null {
  const kept = pairs.filter(({ tokens }) => tokens !== null)
    .map((pair) => ({ pair, margin: rewardsOf(pair, beta).margin }))
    .toSorted((a, b) => a.margin - b.margin);
  if (kept.length === 0) return null;
  const full = Math.min(FULL_COLOUR, largestRatio(kept.map(({ pair }) => pair)) || 1);
  const shown = kept.map(({ pair, margin }, i) =>
    pairDetails(pair, { beta, margin, full, isOpen: i === 0 })
  );
  return markup`<h3 id="pair_view_title">Where the model learned: token by token</h3>
<p>A token's colour is its log-ratio, policy against reference:
<span class="t up" style="--a:1">blue</span> the policy finds it likelier,
<span class="t down" style="--a:1">orange</span> less likely, in full from ${shortNumber(full)} nats
on. What both answers begin with is faint: it cancels in the margin. Tokens in which the answers
differ are underlined. Numbers, below a pair's figure, lists what its tokens bring. The worst margins,
the best, and some between.</p>
${shown}`;
}

function largestRatio(pairs: readonly PairRecord[]): number {
  const ratios = pairs.flatMap(({ tokens }) =>
    [tokens!.chosen, tokens!.rejected].flatMap(({ policy, reference }) =>
      policy.map((value, i) => Math.abs(value - reference[i]))
    )
  );
  return ratios.reduce((most, ratio) => Math.max(most, ratio), 0);
}

const REMARKS = { right: null, wrong: " ✗ ranked the wrong way", tie: " tied" };

type Shown = { beta: number; margin: number; full: number; isOpen: boolean };

function pairDetails(pair: PairRecord, { beta, margin, full, isOpen }: Shown): Markup {
  const { row, kind, prompt } = pair, rank = rankOf(margin);
  return markup`<details class="pair" id="pair_${row}_view"${isOpen && markup` open`}>
<summary><b>Pair ${row}</b>, <bdi>${kind}</bdi>, margin
<span class="${rank}">${signed(margin)}</span>${REMARKS[rank]}</summary>
<h4>Prompt</h4>
<p class="text" dir="auto">${prompt}</p>
${answer(pair, "chosen", { beta, full })}
${answer(pair, "rejected", { beta, full })}
${figureBlock(tokenMargins(pair, beta), 4)}
</details>`;
}

function answer(
  { tokens }: PairRecord,
  side: "chosen" | "rejected",
  { beta, full }: { beta: number; full: number },
): Markup {
  const { texts, policy, reference } = tokens![side], sign = side === "chosen" ? 1 : -1;
  const ratios = policy.map((value, i) => value - reference[i]);
  const ratio = ratios.reduce((sum, value) => sum + value, 0), adds = signed(sign * beta * ratio);
  const end = texts.length - commonEnd(tokens!);
  const spans = texts.map((text, i) => {
    const place = i < tokens!.shared ? "shared" : i < end ? "differs" : "";
    const part = place === "shared" ? "cancels" : `adds ${signed(sign * beta * ratios[i])}`;
    const both = `policy ${shortNumber(policy[i])}, reference ${shortNumber(reference[i])} nats`;
    const title = `${visible(text)}  log-ratio ${signed(ratios[i])}: ${both}; ${part}`;
    return tokenSpan(text, { ratio: ratios[i] / full, place, title });
  });
  return markup`<h4><span class="side ${side}">${side}</span> log-ratio ${signed(ratio)} nats,
adds ${adds} to the margin</h4>
<p class="tokens" dir="auto">${spans}</p>`;
}

function tokenSpan(
  text: string,
  { ratio, place, title }: { ratio: number; place: string; title: string },
): Markup {
  const way = ratio >= 0 ? "up" : "down", strength = Math.min(1, Math.abs(ratio)).toFixed(2);
  const shown = text === "" ? "∅" : text;
  return markup`<span class="t ${way} ${place}" style="--a:${strength}" title="${title}">${shown}</span>`;
}
