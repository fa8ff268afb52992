import { loadTestTriplets } from "../../lib/data/load_test_triplets.ts";
import type { ReadReport } from "../../lib/data/read_rows.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { userError } from "../io/damage.ts";

async function fileOf(rows: unknown[]): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  await Deno.writeTextFile(path, rows.map((row) => JSON.stringify(row) + "\n").join(""));
  return path;
}

const STRINGS = { prompt: "Fever?", chosen: " No.", rejected: " Yes." };
const MESSAGES = {
  prompt: [{ role: "user", content: "Fever?" }],
  chosen: [{ role: "assistant", content: "No." }],
  rejected: [{ role: "assistant", content: "Yes." }],
};

Deno.test("loadTestTriplets() keeps a kind that can name a group, of either form of row", async () => {
  const kinds = ["side", "drug name", "Dosis-1", "größe", 3, null, "", "a".repeat(21), "\x1b[2J"];
  for (const row of [STRINGS, MESSAGES]) {
    let report: ReadReport | undefined;
    const path = await fileOf(kinds.map((kind) => ({ ...row, kind, other: 1 })));
    const loaded = await loadTestTriplets(path, { onReport: (found) => report = found });
    assertEquals(loaded.map(({ kind }) => kind), [
      ...kinds.slice(0, 4),
      ...Array(5).fill(undefined),
    ]);
    assertEquals(loaded.map(({ kind: _, ...triplet }) => triplet), kinds.map(() => row));
    assertEquals(report!.unknownKeys, ["other"]);
  }
});

Deno.test("loadTestTriplets() refuses what loadTriplets() refuses", async () => {
  const same = { ...STRINGS, rejected: STRINGS.chosen, kind: "side" };
  const { message } = await userError(loadTestTriplets(await fileOf([STRINGS, same])));
  assert(message.includes(`line 2: "rejected" must differ from "chosen", found the same text`));
});
