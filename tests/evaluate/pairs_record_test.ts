import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { pairsRecord, pairsSchema, readPairs } from "../../lib/evaluate/pairs_record.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { randomPairs, shake, tinyModels } from "../train/tiny_models.ts";

await useBackend({ backend: "cpu" });

const rows = randomPairs(30, 21);
const triplets = rows.map((_, i) => ({
  prompt: i === 4 ? "x".repeat(3000) : "Note.",
  chosen: "Left knee.",
  rejected: "Right knee.",
  ...(i % 2 && { kind: "other side" }),
}));

Deno.test("pairsRecord() keeps the worst, the best and some pairs between token by token", async () => {
  using models = await tinyModels();
  shake(models, 5);
  const record = await pairsRecord(models, { triplets, rows }, { beta: 0.5, detailed: 6 });
  assertEquals([record.total, record.pairs.length, record.beta], [30, 30, 0.5]);
  const margin = (pair: typeof record.pairs[number]) =>
    pair.policy_chosen - pair.reference_chosen - pair.policy_rejected + pair.reference_rejected;
  const sorted = record.pairs.toSorted((a, b) => margin(a) - margin(b));
  const detailed = sorted.map(({ tokens }) => tokens !== null);
  assertEquals(detailed.slice(0, 2), [true, true]);
  assertEquals(detailed.slice(-2), [true, true]);
  assertEquals(detailed.filter(Boolean).length, 6);
  const [{ row, tokens }] = sorted;
  assertEquals(tokens!.chosen.policy.length, rows[row - 1].chosen.length);
  assertEquals(tokens!.chosen.texts.length, rows[row - 1].chosen.length);
  assertEquals([record.pairs[0].kind, record.pairs[1].kind], ["side", "other side"]);
});

Deno.test("pairsRecord() stays bounded: so many pairs, spread over all, and long texts cut", async () => {
  using models = await tinyModels();
  const { pairs, total } = await pairsRecord(models, { triplets, rows }, { beta: 0.1, most: 10 });
  assertEquals([pairs.length, total], [10, 30]);
  assertEquals(pairs.map(({ row }) => row), [2, 5, 8, 11, 14, 17, 20, 23, 26, 29]);
  assert(pairs[1].prompt.length < 2010 && pairs[1].prompt.endsWith("…"));
});

Deno.test("readPairs() reads what pairsRecord() made, and names the field that is wrong", async () => {
  using models = await tinyModels();
  const record = await pairsRecord(models, { triplets, rows }, { beta: 0.1, most: 3 });
  assertEquals(pairsSchema.parse(JSON.parse(JSON.stringify(record))), record);
  const path = join(await Deno.makeTempDir(), "pairs.json");
  await Deno.writeTextFile(path, JSON.stringify({ ...record, beta: "large" }));
  const { message } = await readPairs(path).then(() => ({ message: "no error" }), (error) => error);
  assertEquals(message, `Cannot use "${path}": "beta" must be a number, found "large"`);
});
