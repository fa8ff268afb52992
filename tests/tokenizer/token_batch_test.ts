import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import type { EncodedPair, TokenBatch } from "../../lib/types.ts";
import { groupByLength } from "../../lib/tokenizer/group_by_length.ts";
import { packExamples, packPairs, packPrompts } from "../../lib/tokenizer/token_batch.ts";

// Few different tokens, so that prefixes, equal responses and responses in each other are common.
const tokens = (minLength: number) =>
  fc.array(fc.integer({ min: 1, max: 3 }), { minLength, maxLength: 9 });
const pair = fc.record({
  index: fc.nat(),
  prompt: tokens(1),
  chosen: tokens(1),
  rejected: tokens(1),
});

/** What the sequence that token `at` belongs to looks like from there: itself and all it may see. */
function visible(batch: TokenBatch, at: number): number[] {
  const lengths = batch.groups.flatMap((group) => group.lengths);
  let start = 0;
  while (start + lengths[0] <= at) start += lengths.shift()!;
  const seen: number[] = [];
  for (let i = start; i <= at; i++) {
    const segment = batch.segments[i];
    if (segment === 0 || segment === batch.segments[at]) {
      assertEquals(batch.positions[i], seen.length, "positions count what is seen");
      seen.push(batch.ids[i]);
    }
  }
  return seen;
}

const rowsOf = (batch: TokenBatch, item: number, sides: number[]) =>
  [...batch.rows.keys()].filter((i) => batch.items[i] === item && sides.includes(batch.sides[i]));

Deno.test("packPairs() predicts each response token once, from exactly what precedes it", () => {
  fc.assert(fc.property(fc.array(pair, { minLength: 1, maxLength: 6 }), (pairs) => {
    const batch = packPairs(pairs);
    pairs.forEach(({ prompt, chosen, rejected }, item) => {
      for (const [response, side] of [[chosen, 1], [rejected, 2]] as const) {
        const rows = rowsOf(batch, item, [0, side]);
        assertEquals(rows.map((i) => batch.targets[i]), response);
        rows.forEach((i, t) => {
          assertEquals(visible(batch, batch.rows[i]), [...prompt, ...response.slice(0, t)]);
        });
      }
    });
    assertEquals(batch.size, pairs.length);
  }));
});

Deno.test("packPairs() holds each token once and nothing that nobody reads", () => {
  fc.assert(fc.property(fc.array(pair, { minLength: 1, maxLength: 6 }), (pairs) => {
    const batch = packPairs(pairs);
    const wanted = pairs.reduce((sum, { prompt, chosen, rejected }) => {
      // Every distinct text that something is predicted from, plus the prompt's own tokens.
      const heads = [chosen, rejected].flatMap((r) => r.map((_, i) => r.slice(0, i).join()));
      return sum + prompt.length + new Set(heads.filter((h) => h !== "")).size;
    }, 0);
    assertEquals(batch.ids.length, wanted);
    let end = 0;
    for (const { offset, lengths } of batch.groups) {
      assertEquals(offset, end, "groups follow each other");
      end += lengths.reduce((sum, length) => sum + length);
    }
    assertEquals(end, wanted);
  }));
});

const packOne = (prompt: number[], chosen: number[], rejected: number[]) => {
  const { ids, rows, targets, sides, positions, segments } = packPairs([
    { index: 0, prompt, chosen, rejected } satisfies EncodedPair,
  ]);
  return [ids, rows, targets, sides, positions, segments].map((list) => [...list]);
};

Deno.test("packPairs() lays out the cases by hand", () => {
  assertEquals(packOne([1, 5], [7, 8, 2], [7, 9, 2]), [
    [1, 5, 7, 8, 9],
    [1, 2, 3, 2, 4],
    [7, 8, 2, 9, 2],
    [0, 1, 1, 2, 2],
    [0, 1, 2, 3, 3],
    [0, 0, 0, 1, 2],
  ]);
  // Nothing in common.
  assertEquals(packOne([1], [7, 2], [8, 2]).slice(0, 4), [
    [1, 7, 8],
    [0, 1, 0, 2],
    [7, 2, 8, 2],
    [1, 1, 2, 2],
  ]);
  // One response is the other's beginning: cut off by max_length.
  assertEquals(packOne([1], [7], [7, 8]).slice(0, 4), [[1, 7], [0, 1], [7, 8], [0, 2]]);
  // Equal, after the cut: the last token predicts nothing.
  assertEquals(packOne([1], [7, 8], [7, 8]).slice(0, 4), [[1, 7], [0, 1], [7, 8], [0, 0]]);
});

Deno.test("packExamples() predicts each completion token once, on side 1", () => {
  const example = fc.record({ index: fc.nat(), prompt: tokens(1), completion: tokens(1) });
  fc.assert(fc.property(fc.array(example, { minLength: 1, maxLength: 6 }), (examples) => {
    const batch = packExamples(examples);
    examples.forEach(({ prompt, completion }, item) => {
      const rows = rowsOf(batch, item, [1]);
      assertEquals(rows.map((i) => batch.targets[i]), completion);
      rows.forEach((i, t) => {
        assertEquals(visible(batch, batch.rows[i]), [...prompt, ...completion.slice(0, t)]);
      });
    });
    assertEquals(batch.rows.length, examples.reduce((sum, e) => sum + e.completion.length, 0));
  }));
});

Deno.test("packPrompts() makes one group and reads each prompt's last token", () => {
  const batch = packPrompts([[1, 2, 3], [4], [5, 6]]);
  assertEquals([...batch.ids], [1, 2, 3, 4, 5, 6]);
  assertEquals([...batch.positions], [0, 1, 2, 0, 0, 1]);
  assertEquals([...batch.segments], [0, 0, 0, 0, 0, 0]);
  assertEquals(batch.groups, [{ offset: 0, lengths: [3, 1, 2] }]);
  assertEquals([...batch.rows], [2, 3, 5]);
  assertEquals([...batch.items], [0, 1, 2]);
  assertEquals([[...batch.targets], batch.size], [[0, 0, 0], 3]);
});

Deno.test("groupByLength() uses each index once and keeps padding and size in bounds", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 60 });
  fc.assert(fc.property(lengths, (lengths) => {
    const groups = groupByLength(lengths);
    assertEquals(groups.flat().sort((a, b) => a - b), [...lengths.keys()]);
    for (const group of groups) {
      const room = Math.max(...group.map((i) => lengths[i])) * group.length;
      const filled = group.reduce((sum, i) => sum + lengths[i], 0);
      assert(group.length === 1 || (room <= 4096 && room - filled <= room / 8));
    }
  }));
  assertEquals(groupByLength([64, 64, 64, 8]), [[0, 1, 2], [3]], "equals keep their order");
});

Deno.test("packing refuses an empty prompt: nothing would predict the first token", () => {
  try {
    packPairs([{ index: 0, prompt: [], chosen: [1], rejected: [2] }]);
  } catch (error) {
    return assertEquals((error as Error).message, "Item 0 of the batch has an empty prompt");
  }
  assert(false, "nothing was thrown");
});
