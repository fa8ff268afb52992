import type { PairRecord, PairsRecord } from "../../lib/evaluate/pairs_record.ts";
import { rewardsOf } from "../figures/pair_rewards.ts";
import { tokenMargins, visible } from "../figures/token_margins.ts";
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
  return markup`<h3 id="pair_view_title">Where the model learned: token by token</h3>
<p>A token's colour is its log-ratio, policy against reference: <span class="t up" style="--a:1">blue</span> the policy finds it likelier, <span class="t down" style="--a:1">orange</span> less likely, in full from ${
    shortNumber(full)
  } nats on. What both answers begin with is faint: it cancels in the margin. Tokens in which the answers differ are underlined. The worst margins, the best, and some between.</p>
${kept.map(({ pair, margin }, i) => pairDetails(pair, { beta, margin, full, isOpen: i === 0 }))}`;
}

function largestRatio(pairs: readonly PairRecord[]): number {
  const ratios = pairs.flatMap(({ tokens }) =>
    [tokens!.chosen, tokens!.rejected].flatMap(({ policy, reference }) =>
      policy.map((value, i) => Math.abs(value - reference[i]))
    )
  );
  return ratios.reduce((most, ratio) => Math.max(most, ratio), 0);
}

type Shown = { beta: number; margin: number; full: number; isOpen: boolean };

function pairDetails(pair: PairRecord, { beta, margin, full, isOpen }: Shown): Markup {
  const { row, kind, prompt } = pair;
  const open = isOpen && markup`open`, rank = margin < 0 ? "wrong" : "right";
  const isWrong = margin < 0 && " ✗ ranked the wrong way";
  return markup`
    <details class="pair" id="pair_${row}_view" ${open}>
    <summary><b>Pair ${row}</b>, <bdi>${kind}</bdi>, margin <span class="${rank}">${
    signed(
      margin,
    )
  }</span>${isWrong}</summary>
    <h4>Prompt</h4>
    <p class="text" dir="auto">${prompt}</p>
    ${answer(pair, "chosen", { beta, full })}
    ${answer(pair, "rejected", { beta, full })}
    ${figureBlock(tokenMargins(pair, beta), 4)}
    </details>
  `;
}

function answer(
  pair: PairRecord,
  side: "chosen" | "rejected",
  { beta, full }: { beta: number; full: number },
): Markup {
  const { shared, ...tokens } = pair.tokens!, { texts, policy, reference } = tokens[side];
  const other = tokens[side === "chosen" ? "rejected" : "chosen"].texts;
  const end = texts.length - commonEnd(texts.slice(shared), other.slice(shared));
  const ratio = policy.reduce((sum, value, i) => sum + value - reference[i], 0);
  const sign = side === "chosen" ? 1 : -1;
  return markup`<h4><span class="side ${side}">${side}</span> log-ratio ${
    signed(ratio)
  } nats, adds ${signed(sign * beta * ratio)} to the margin</h4>
<p class="tokens" dir="auto">${
    texts.map((text, i) => {
      const own = policy[i] - reference[i];
      const classes = [
        "t",
        own >= 0 ? "up" : "down",
        i < shared && "shared",
        i >= shared && i < end && "differs",
      ].filter(Boolean).join(" ");
      const title = `${visible(text)}  log-ratio ${signed(own)}: policy ${
        shortNumber(policy[i])
      }, reference ${shortNumber(reference[i])} nats; ${
        i < shared ? "cancels" : `adds ${signed(sign * beta * own)}`
      }`;
      const strength = Math.min(1, Math.abs(own) / full).toFixed(2);
      return markup`<span class="${classes}" style="--a:${strength}" title="${title}">${
        text === "" ? "∅" : text
      }</span>`;
    })
  }</p>`;
}

/** How many tokens two lists have in common at their ends. */
function commonEnd(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}
