/** What quantising costs a trained policy: the margin over its reference that is left. */
import { join } from "node:path";
import { compareQuantized } from "../../lib/convert/compare_quantized.ts";
import { quantize, type QuantizeOptions } from "../../lib/convert/quantize.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { assert } from "../../lib/std.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import type { Tokenizer } from "../../lib/tokenizer/tokenizer.ts";
import { buildModels } from "../../lib/train/build_models.ts";
import { saveAdapter } from "../../lib/train/save_model.ts";
import { trainDpo } from "../../lib/train/train_dpo.ts";

Deno.test("a trained policy keeps 95 % of its margin at 8 bits, and says what 4 cost", async () => {
  const folder = await Deno.makeTempDir(), adapter = join(folder, "adapter");
  const train = await loadTriplets("phase2_data/dpo/train_dpo.jsonl");
  const held = await loadTriplets("phase2_data/dpo/val_dpo.jsonl");
  {
    using models = await buildModels({ sftModelPath: "models/sft_specialist/final_model" });
    const { rows } = encodePairs(models.tokenizer, train.slice(0, 480));
    const options = { beta: 0.1, learningRate: 2e-3, batchSize: 8, epochs: 1 };
    for await (const _ of trainDpo(models, rows, options));
    await saveAdapter(models, adapter);
  }
  const encode = (tokenizer: Tokenizer) => encodePairs(tokenizer, held).rows;
  const cost = async (options: QuantizeOptions) => {
    const quantizedPath = join(folder, "model.gguf");
    const { float32Bytes, weightBytes } = await quantize(adapter, quantizedPath, options);
    const compared = await compareQuantized(adapter, { quantizedPath, encode });
    const { float, quantized, marginKept, meanChange } = compared;
    console.log(
      `${options.type}${options.pure ? " pure" : ""}: ${(float32Bytes / weightBytes).toFixed(2)} ` +
        `times smaller, loss ${float.loss.toFixed(4)} -> ${quantized.loss.toFixed(4)}, margin ` +
        `${float.margin.toFixed(3)} -> ${quantized.margin.toFixed(3)} nats ` +
        `(${(100 * marginKept!).toFixed(1)} %), ${meanChange.toFixed(3)} nats an answer`,
    );
    return compared;
  };
  const eight = await cost({ type: "q8_0" });
  assert(eight.float.margin > 1, `nothing was learned: ${eight.float.margin}`);
  assert(eight.hasReference && eight.marginKept! >= 0.95, String(eight.marginKept));
  const four = [await cost({ type: "q4_0" }), await cost({ type: "q4_0", pure: true })];
  assert(four.every(({ marginKept }) => marginKept! > 0.5));
});
