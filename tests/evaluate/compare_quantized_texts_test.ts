import * as tf from "@tensorflow/tfjs";
import { join } from "node:path";
import { quantize } from "../../lib/convert/quantize.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { compareQuantizedTexts } from "../../lib/evaluate/compare_quantized_texts.ts";
import { generate } from "../../lib/evaluate/generate.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadModels } from "../../lib/train/load_models.ts";

const MODEL = "models/sft_specialist/final_model";

Deno.test("compareQuantizedTexts() counts what the meter finds in each model's texts, by prompt", async () => {
  const triplets = (await loadTriplets("phase2_data/dpo/val_dpo.jsonl")).slice(0, 12);
  const quantizedPath = join(await Deno.makeTempDir(), "a.gguf");
  await quantize(MODEL, quantizedPath, { type: "q4_0", pure: true });
  const writing = { temperature: 1.3, seed: 3, maxNewTokens: 40 };
  const count = async (modelPath: string) => {
    using models = await loadModels({ modelPath });
    const prompts = triplets.map(({ prompt }) => prompt as string);
    const texts = (await generate(models, prompts, writing)).map(({ text }) => text);
    const found = texts.map((text, i) => measureHallucination(text, prompts[i]));
    const sum = (of: (result: typeof found[number]) => number) =>
      found.reduce((total, result) => total + of(result), 0);
    const details = sum((result) => result.details);
    const unsupported = sum((result) => result.unsupported.length);
    return { texts, details, unsupported, notes: sum((r) => Number(r.unsupported.length > 0)) };
  };
  const [float, four] = [await count(MODEL), await count(quantizedPath)];
  const before = tf.memory().numTensors;
  const again = [...triplets, ...triplets]; // a prompt is continued once
  const found = await compareQuantizedTexts(MODEL, again, { quantizedPath, ...writing });
  assertEquals(tf.memory().numTensors, before);
  assertEquals(found.prompts, 12);
  for (const [of, wanted] of [[found.float, float], [found.quantized, four]] as const) {
    assertEquals([of.details, of.unsupported], [wanted.details, wanted.unsupported]);
    assertEquals(of.hallucinationRate.value, wanted.unsupported / wanted.details);
    assertEquals(of.notesWithHallucination.value, wanted.notes / 12);
  }
  const same = float.texts.filter((text, i) => text === four.texts[i]).length;
  assertEquals(found.sameTexts, same / 12);
  assert(same < 12 && float.unsupported > 0, "nothing to tell apart");
  const { value, interval } = found.difference.hallucinationRate;
  const wanted = four.unsupported / four.details - float.unsupported / float.details;
  assert(Math.abs(value! - wanted) < 1e-12 && interval![0] <= wanted && wanted <= interval![1]);
});
