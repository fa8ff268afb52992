import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import type { Models } from "../../lib/train/build_models.ts";
import { referenceBatch, type ReferenceOptions } from "../../lib/train/reference_cache.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import type { EncodedPair } from "../../lib/types.ts";
import { randomPairs, shake, tinyModels } from "./tiny_models.ts";

await useBackend({ backend: "cpu" });

const PAIRS = randomPairs(5, 1);

/** The reference's numbers, and at how many pairs progress was told: none where they were kept. */
async function ask(models: Models, pairs: EncodedPair[], options: Partial<ReferenceOptions>) {
  const batches = referenceBatch(models, pairs, { batchSize: 2, ...options }), told: number[] = [];
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return { reference: value.reference, told };
    told.push(value);
  }
}

Deno.test("referenceBatch() asks the reference, not the policy, and tells how far it is", async () => {
  using models = await tinyModels();
  const wanted = await scorePairs(models, PAIRS, { adapter: false, batchSize: 2 });
  shake(models, 1);
  const { reference, told } = await ask(models, PAIRS, {});
  assertEquals([reference, told], [wanted, [0, 2, 4, 5]]);
});

Deno.test("referenceBatch() computes once what its file then keeps to the last bit", async () => {
  using models = await tinyModels();
  const cachePath = join(await Deno.makeTempDir(), "reference.json");
  const first = await ask(models, PAIRS, { cachePath });
  const again = await ask(models, PAIRS, { cachePath });
  assertEquals([again.reference, again.told], [first.reference, []]);
});

Deno.test("referenceBatch() computes anew for other weights, data, batches or another backend", async () => {
  using models = await tinyModels();
  const cachePath = join(await Deno.makeTempDir(), "reference.json");
  const keep = () => ask(models, PAIRS, { cachePath });
  const changed = PAIRS.map((pair, i) => i === 3 ? { ...pair, chosen: [7, 2] } : pair);
  const others: (() => ReturnType<typeof ask>)[] = [
    () => ask({ ...models, source: { ...models.source, hash: "other" } }, PAIRS, { cachePath }),
    () => ask(models, changed, { cachePath }),
    () => ask(models, PAIRS.slice(1), { cachePath }),
    () => ask(models, PAIRS, { cachePath, batchSize: 3 }),
  ];
  for (const other of others) {
    await keep();
    assert((await other()).told.length > 0);
    assert((await keep()).told.length > 0, "the file was not written anew");
  }
  await useBackend({ backend: "wasm" });
  assert((await keep()).told.length > 0);
  await useBackend({ backend: "cpu" });
});

Deno.test("referenceBatch() computes anew where its file is damaged, and mends it", async () => {
  using models = await tinyModels();
  const cachePath = join(await Deno.makeTempDir(), "reference.json");
  const { reference } = await ask(models, PAIRS, { cachePath });
  const whole = await Deno.readTextFile(cachePath), parsed = JSON.parse(whole);
  const damages = [
    "",
    whole.slice(0, -20),
    JSON.stringify({ ...parsed, chosen: parsed.chosen.slice(1) }),
    JSON.stringify({ ...parsed, rejected: parsed.rejected.slice(1) }),
    JSON.stringify({ ...parsed, rejected: parsed.rejected.map(String) }),
    JSON.stringify({ ...parsed, rejectedTail: parsed.rejectedTail.slice(1) }),
    JSON.stringify({ ...parsed, chosenTail: undefined }), // an earlier version's file
  ];
  for (const damage of damages) {
    await Deno.writeTextFile(cachePath, damage);
    const { told, reference: found } = await ask(models, PAIRS, { cachePath });
    assertEquals([told.length, found], [4, reference], damage);
    assertEquals(await Deno.readTextFile(cachePath), whole);
  }
});

Deno.test("referenceBatch() keeps nothing when it is stopped", async () => {
  using models = await tinyModels();
  const cachePath = join(await Deno.makeTempDir(), "reference.json");
  const controller = new AbortController();
  const batches = referenceBatch(models, PAIRS, {
    batchSize: 2,
    cachePath,
    signal: controller.signal,
  });
  for (const done of [0, 2]) assertEquals((await batches.next()).value, done);
  controller.abort();
  const name = await batches.next().then(() => "none", (error) => error.name);
  assertEquals(name, "AbortError");
  assertEquals(await Deno.stat(cachePath).then(() => true, () => false), false);
});
