import type { EncodedExample, EncodedPair, SequenceGroup, TokenBatch } from "../types.ts";
import { commonPrefixLength } from "./encode_pair.ts";
import { groupByLength } from "./group_by_length.ts";

/** One item laid out as a trie; `rows` count from the item's own first token. */
type Sequence = {
  item: number;
  ids: number[];
  positions: number[];
  segments: number[];
  rows: number[];
  targets: number[];
  sides: number[];
};

/**
 * Lays pairs out for one forward pass. Prompt and the tokens that both responses begin with are one
 * trunk, what differs are two tails. Every response token is predicted once per side; the last token
 * of a response predicts nothing, so it is a target only.
 *
 * **Shapes and dtypes**: see {@link TokenBatch}; a pair's log-probability of its chosen response is
 * the sum over rows of its item with side 0 or 1, of its rejected response with side 0 or 2.
 *
 * @param pairs Encoded pairs; `items` of the result count in their order.
 * @throws {RangeError} When a prompt is empty: nothing would predict the first response token.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { packPairs } from "./token_batch.ts";
 * const pair = { index: 0, prompt: [1, 5], chosen: [7, 8, 2], rejected: [7, 9, 2] };
 * const batch = packPairs([pair]);
 * assert.deepEqual([...batch.ids], [1, 5, 7, 8, 9]); // 11 tokens in two sequences, 5 in a trie
 * assert.deepEqual([...batch.targets], [7, 8, 2, 9, 2]);
 * assert.deepEqual([...batch.sides], [0, 1, 1, 2, 2]);
 * ```
 */
export function packPairs(pairs: readonly EncodedPair[]): TokenBatch {
  return packSequences(pairs.map((pair, item) => {
    const shared = commonPrefixLength(pair.chosen, pair.rejected);
    const tails = [pair.chosen.slice(shared), pair.rejected.slice(shared)];
    return layOut(item, pair.prompt, { shared: pair.chosen.slice(0, shared), side: 0, tails });
  }));
}

/**
 * Lays prompts with one completion each out for one forward pass; all sides are 1.
 *
 * **Shapes and dtypes**: see {@link TokenBatch}.
 *
 * @throws {RangeError} When a prompt is empty.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { packExamples } from "./token_batch.ts";
 * const batch = packExamples([{ index: 0, prompt: [1, 5], completion: [7, 2] }]);
 * assert.deepEqual([[...batch.ids], [...batch.rows]], [[1, 5, 7], [1, 2]]);
 * ```
 */
export function packExamples(examples: readonly EncodedExample[]): TokenBatch {
  return packSequences(
    examples.map(({ prompt, completion }, item) =>
      layOut(item, prompt, { shared: completion, side: 1, tails: [] })
    ),
  );
}

/**
 * Lays prompts out for generation, as one group. What follows a prompt is predicted from its last
 * token. Targets are 0: nothing is known yet.
 *
 * **Shapes and dtypes**: see {@link TokenBatch}; `rows` has one entry a prompt.
 *
 * @throws {RangeError} When a prompt is empty.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { packPrompts } from "./token_batch.ts";
 * const { ids, rows } = packPrompts([[1, 2, 3], [4]]);
 * assert.deepEqual([[...ids], [...rows]], [[1, 2, 3, 4], [2, 3]]);
 * ```
 */
export function packPrompts(prompts: readonly number[][]): TokenBatch {
  const sequences = prompts.map((prompt, item) => ({
    ...layOut(item, prompt, { shared: [], side: 1, tails: [] }),
    rows: [prompt.length - 1],
    targets: [0],
    sides: [1],
  }));
  return lay(sequences, [[...sequences.keys()]]);
}

function layOut(
  item: number,
  prompt: number[],
  { shared, side, tails }: { shared: number[]; side: number; tails: number[][] },
): Sequence {
  if (prompt.length === 0) throw new RangeError(`Item ${item} of the batch has an empty prompt`);
  const trunk = [...prompt, ...shared];
  // A token that predicts nothing is left out: the trunk's last one where no tail follows.
  if (shared.length > 0 && tails.every((tail) => tail.length === 0)) trunk.pop();
  const sequence: Sequence = {
    item,
    ids: [...trunk],
    positions: [...trunk.keys()],
    segments: trunk.map(() => 0),
    rows: shared.map((_, i) => prompt.length - 1 + i),
    targets: [...shared],
    sides: shared.map(() => side),
  };
  tails.forEach((tail, t) => addTail(sequence, tail, { side: t + 1, from: trunk.length }));
  return sequence;
}

function addTail(
  sequence: Sequence,
  tail: number[],
  { side, from }: { side: number; from: number },
) {
  const start = sequence.ids.length;
  tail.forEach((token, i) => {
    sequence.rows.push(i === 0 ? from - 1 : start + i - 1);
    sequence.targets.push(token);
    sequence.sides.push(side);
    if (i === tail.length - 1) return;
    sequence.ids.push(token);
    sequence.positions.push(from + i);
    sequence.segments.push(side);
  });
}

function packSequences(sequences: Sequence[]): TokenBatch {
  const grouped = groupByLength(sequences.map((sequence) => sequence.ids.length));
  return lay(sequences, grouped);
}

/** Writes sequences one after another, group by group. */
function lay(sequences: Sequence[], grouped: number[][]): TokenBatch {
  const groups: SequenceGroup[] = [], order: { sequence: Sequence; start: number }[] = [];
  let size = 0;
  for (const members of grouped) {
    groups.push({ offset: size, lengths: members.map((m) => sequences[m].ids.length) });
    for (const member of members) {
      order.push({ sequence: sequences[member], start: size });
      size += sequences[member].ids.length;
    }
  }
  return {
    ids: Int32Array.from(order.flatMap(({ sequence }) => sequence.ids)),
    positions: Int32Array.from(order.flatMap(({ sequence }) => sequence.positions)),
    segments: Uint8Array.from(order.flatMap(({ sequence }) => sequence.segments)),
    groups,
    rows: Int32Array.from(order.flatMap(({ sequence: s, start }) => s.rows.map((r) => start + r))),
    targets: Int32Array.from(order.flatMap(({ sequence }) => sequence.targets)),
    items: Int32Array.from(order.flatMap(({ sequence: s }) => s.rows.map(() => s.item))),
    sides: Uint8Array.from(order.flatMap(({ sequence }) => sequence.sides)),
    size: sequences.length,
  };
}
