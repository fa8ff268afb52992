import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { mergeAdapter } from "../../lib/convert/merge_adapter.ts";
import { evaluateModels } from "../../lib/evaluate/evaluate_models.ts";
import { evaluationRecord, sampleRow } from "../../lib/evaluate/evaluation_record.ts";
import { generate } from "../../lib/evaluate/generate.ts";
import { openPolicy } from "../../lib/evaluate/open_policy.ts";
import { surprise } from "../../lib/evaluate/perplexity.ts";
import { writeTexts } from "../../lib/evaluate/write_texts.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { buildModels, type Models } from "../../lib/train/build_models.ts";
import { evaluate } from "../../lib/train/evaluate.ts";
import { loadModels } from "../../lib/train/load_models.ts";
import { preferenceBatch } from "../../lib/train/preference_batch.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import { scorePairs } from "../../lib/train/score_pairs.ts";
import { assertClose } from "../close.ts";
import { userError } from "../io/damage.ts";
import { TRIPLETS, writeTinyFolder } from "../train/tiny_folder.ts";
import { shake } from "../train/tiny_models.ts";

await useBackend({ backend: "cpu" });

const ROOT = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(ROOT, { recursive: true }));
const BASE = await writeTinyFolder(join(ROOT, "base")), OTHER = join(ROOT, "other");
await writeTinyFolder(OTHER);
const STAGE_A = join(ROOT, "stage_a"), DPO = join(ROOT, "dpo"), UNMOVED = join(ROOT, "unmoved");

/** Saves an adapter over a model, moved to random numbers unless the seed is 0. */
async function saveMoved(sftModelPath: string, folder: string, seed: number): Promise<void> {
  using models = await buildModels({ sftModelPath, rank: 2 });
  if (seed > 0) shake(models, seed);
  await saveAdapter(models, folder);
}
await saveMoved(BASE, STAGE_A, 1);
await saveMoved(STAGE_A, DPO, 2);
await saveMoved(STAGE_A, UNMOVED, 0);

const pairsOf = ({ tokenizer }: Models) => encodePairs(tokenizer, TRIPLETS).rows;
const WRITING = { beta: 0.1, maxNewTokens: 6 };

Deno.test("openPolicy() lays an adapter over Stage A's weights, as loadModels() loads it", async () => {
  using stageA = await loadModels({ modelPath: STAGE_A });
  using policy = await openPolicy(stageA, DPO);
  using loaded = await loadModels({ modelPath: STAGE_A, adapterPath: DPO });
  assert(policy.network === stageA.network);
  const score = (models: Models) =>
    scorePairs(models, pairsOf(models), { adapter: true, batchSize: 2 });
  assertClose((await score(policy)).chosen, (await score(loaded)).chosen, { absolute: 1e-5 });
});

Deno.test("openPolicy() loads a merged model beside Stage A", async () => {
  const merged = join(ROOT, "merged");
  await mergeAdapter(DPO, merged);
  using stageA = await loadModels({ modelPath: STAGE_A });
  using policy = await openPolicy(stageA, DPO);
  using whole = await openPolicy(stageA, merged);
  const [wanted, found] = await Promise.all([policy, whole].map(async (dpo) => {
    const { texts } = await evaluateModels({ sft: stageA, dpo }, TRIPLETS, WRITING);
    return texts.dpo!;
  }));
  assertEquals(found.map(({ text }) => text), wanted.map(({ text }) => text));
  const surprises = [found, wanted].map((texts) => texts.map((text) => text.surprise));
  assertClose(surprises[0], surprises[1], { absolute: 1e-4 }); // Stage A's, not its own
});

Deno.test("evaluateModels() reads and writes so many at once as it is told, and the same", async () => {
  using sft = await loadModels({ modelPath: STAGE_A });
  using dpo = await openPolicy(sft, DPO);
  const seen: string[] = [];
  const run = async (batchSize?: number) => {
    const onProgress = (label: string, done: number) => void seen.push(`${label} ${done}`);
    const options = { ...WRITING, batchSize, onProgress };
    const { preference, texts } = await evaluateModels({ sft, dpo }, TRIPLETS, options);
    return { loss: preference.dpo!.loss, texts: texts.dpo!.map(({ text }) => text) };
  };
  const [together, alone] = [await run(), await run(1)];
  assertClose(alone.loss, together.loss, { absolute: 1e-6 });
  assertEquals(alone.texts, together.texts);
  for (const label of ["DPO reads 1", "DPO writes 1"]) assert(seen.includes(label), seen.join());
});

Deno.test("evaluateModels() refuses a model that reads other tokens", async () => {
  const other = await writeTinyFolder(join(ROOT, "shuffled")), at = join(other, "tokenizer.json");
  const tokenizer = JSON.parse(await Deno.readTextFile(at)), { vocab } = tokenizer.model;
  [vocab.a, vocab.b] = [vocab.b, vocab.a];
  await Deno.writeTextFile(at, JSON.stringify(tokenizer));
  using sft = await loadModels({ modelPath: STAGE_A });
  using dpo = await openPolicy(sft, other);
  const { message } = await userError(evaluateModels({ sft, dpo }, TRIPLETS, WRITING));
  const wanted =
    `Cannot compare "${other}" with "${STAGE_A}": it reads the test file as other tokens`;
  assert(message.startsWith(wanted), message);
});

Deno.test("openPolicy() refuses an adapter of another model", async () => {
  using stageA = await loadModels({ modelPath: OTHER });
  const { message, field } = await userError(openPolicy(stageA, DPO));
  assert(message.startsWith(`Cannot compare "${DPO}" with "${OTHER}": it adapts`), message);
  assertEquals(field, "base_model_name_or_path");
});

Deno.test("surprise() is what scorePairs() gives of the same answers, per token", async () => {
  using stageA = await loadModels({ modelPath: STAGE_A });
  const rows = pairsOf(stageA);
  const { chosen } = await scorePairs(stageA, rows, { adapter: false, batchSize: 2 });
  const texts = rows.map(({ index, prompt, chosen: completion }) => ({
    index,
    prompt,
    completion,
  }));
  const means = rows.map((row, i) => -chosen[i] / row.chosen.length);
  assertClose(await surprise(stageA, texts, { batchSize: 2 }), means, { absolute: 1e-5 });
});

Deno.test("writeTexts() measures what generate() writes, each by its own prompt", async () => {
  using stageA = await loadModels({ modelPath: STAGE_A });
  using policy = await openPolicy(stageA, DPO);
  const tasks = TRIPLETS.map(({ prompt, chosen }) => ({ prompt, reference: chosen }));
  const options = { maxNewTokens: 8, temperature: 1, seed: 3 };
  const written = await writeTexts(policy, tasks, options);
  const texts = await generate(policy, tasks.map(({ prompt }) => prompt), options);
  assertEquals(written.map(({ text }) => text), texts.map(({ text }) => text));
  for (const { text, unsupported, details, surprise, repetition } of written) {
    for (const { start, end, text: detail } of unsupported) {
      assertEquals(text.slice(start, end), detail);
    }
    assert(details >= unsupported.length && surprise > 0 && repetition <= 1);
  }
});

Deno.test("evaluateModels() finds no difference between Stage A and an untrained policy", async () => {
  using sft = await loadModels({ modelPath: STAGE_A });
  using dpo = await openPolicy(sft, UNMOVED);
  const { preference, differences, texts } = await evaluateModels({ sft, dpo }, TRIPLETS, WRITING);
  assertClose(preference.dpo!.loss, Math.LN2, { absolute: 1e-5 });
  assertEquals(texts.dpo!.map(({ text }) => text), texts.sft!.map(({ text }) => text));
  const values = Object.values(differences.dpoSft).map(({ value }) => value ?? 0);
  assertEquals(values, values.map(() => 0));
  assertEquals([differences.dpoControl, texts.control], [undefined, undefined]);
});

Deno.test("evaluateModels() judges pairs as evaluate() does, writes once a prompt, frees tensors", async () => {
  using sft = await loadModels({ modelPath: STAGE_A });
  using dpo = await openPolicy(sft, DPO);
  using control = await openPolicy(sft, UNMOVED);
  const before = tf.memory().numTensors, labels = new Set<string>();
  const again = [...TRIPLETS, { ...TRIPLETS[0], rejected: " no." }];
  const evaluation = await evaluateModels({ sft, dpo, control }, again, {
    ...WRITING,
    onProgress: (label) => labels.add(label),
  });
  assertEquals(tf.memory().numTensors, before);
  const { rows } = encodePairs(sft.tokenizer, again);
  const wanted = await evaluate(dpo, await preferenceBatch(dpo, rows), { beta: 0.1 });
  for (const key of ["loss", "rewards/margins", "drift/chosen", "chosenPreference"] as const) {
    assertClose(evaluation.preference.dpo![key], wanted[key], { absolute: 1e-5 });
  }
  assertEquals(evaluation.tasks.map(({ prompt }) => prompt), TRIPLETS.map(({ prompt }) => prompt));
  assertEquals([...labels], [
    "Stage A reads",
    "DPO reads",
    "Control reads",
    "Stage A writes",
    "DPO writes",
    "Control writes",
  ]);
  assertEquals(evaluation.chosen.notesWithHallucination.value, 0); // TRIPLETS' answers are right
  const origin = { sft_model: "", dpo_model: "", test_file: "" };
  const overlap = { same_file: null, prompts: null };
  const record = evaluationRecord(evaluation, { settings: {}, hashes: origin, overlap });
  assertEquals([record.prompts, record.preference.pairs], [5, 6]);
  assertEquals(Object.keys(sampleRow(evaluation, 0)), [
    ...["prompt", "reference", "sft", "dpo", "control"],
    ...["sft_unsupported", "dpo_unsupported", "control_unsupported"],
  ]);
});

Deno.test("evaluateModels() leaves out pairs without an answer, with their traits, and says so", async () => {
  using sft = await loadModels({ modelPath: STAGE_A });
  using dpo = await openPolicy(sft, DPO);
  const long = { ...TRIPLETS[0], prompt: "note: " + "cough ".repeat(20) };
  const rows = [long, ...TRIPLETS].map((row, i) => ({ ...row, kind: i === 0 ? "long" : "short" }));
  const limited = { ...WRITING, maxLength: 64 };
  const { message } = await userError(evaluateModels({ sft, dpo }, rows, limited));
  assert(message.includes("max_length"), message);
  const found = await evaluateModels({ sft, dpo }, rows, { ...limited, skipInvalid: true });
  assertEquals([found.dropped, Object.keys(found.preference.dpo!.byKind)], [1, ["short"]]);
});
