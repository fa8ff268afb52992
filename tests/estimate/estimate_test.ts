import * as tf from "@tensorflow/tfjs";
import { alignedRows } from "../../lib/backend/aligned_rows.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { estimate as measured, type EstimateOptions } from "../../lib/estimate/estimate.ts";
import { figuredSeconds, HARDWARE } from "../../lib/estimate/hardware.ts";
import { passNumbers } from "../../lib/estimate/pass_memory.ts";
import { countParameters } from "../../lib/estimate/run_memory.ts";
import { tokenGradients } from "../../lib/model/token_gradients.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { packPairs } from "../../lib/tokenizer/token_batch.ts";
import { buildModels } from "../../lib/train/build_models.ts";
import { describeModel } from "../../lib/train/load_source.ts";
import { assertClose } from "../close.ts";
import { userError } from "../io/damage.ts";
import { presentBackends } from "../backend/backends.ts";
import { estimateReport } from "../../scripts/cli/estimate_report.ts";

const MODEL = "models/sft_specialist/final_model";
const backend = (await presentBackends())[0];
const { config, tokenizer } = await describeModel(MODEL);
const triplets = (await loadTriplets("phase2_data/dpo/val_dpo.jsonl")).slice(0, 12);
const { rows } = encodePairs(tokenizer, triplets);

const estimate = (
  model: typeof config,
  rows: Parameters<typeof measured>[1],
  options: EstimateOptions = {},
) => measured(model, rows, { calibrationSeconds: 0, ...options });

Deno.test("passNumbers() tells what a gradient pass keeps", async () => {
  const adapter = { rank: 4, targetModules: ["q_proj", "down_proj"] };
  using models = await buildModels({ sftModelPath: MODEL, ...adapter, backend });
  const trained = { ...adapter, targetModules: [...adapter.targetModules] };
  /** Pairs of so many tokens as they are laid out. */
  const short = (tokens: number) =>
    Array.from({ length: 3 }, (_, index) => ({
      ...{ index, prompt: Array(tokens - 3).fill(5), chosen: [6, 7, 2], rejected: [6, 8, 2] },
    }));
  const cases = [rows.slice(0, 4), short(10), short(33)]
    .flatMap((pairs) => [[pairs, false], [pairs, true]] as const);
  for (const [pairs, checkpointing] of cases) {
    const batch = packPairs(pairs), before = tf.memory().numBytes;
    let kept = 0;
    const slope = (logProbs: Float32Array) => {
      kept = tf.memory().numBytes - before;
      return logProbs;
    };
    const { network, trainable } = models;
    const options = { checkpointing };
    const pass = await tokenGradients(network, trainable.adapters(), batch, slope, options);
    tf.dispose(pass.gradients);
    const aligned = alignedRows(batch.ids.length) / batch.ids.length;
    const said = 4 * aligned * pairs.reduce((sum, pair) => {
      const { ids, rows } = packPairs([pair]);
      const numbers = passNumbers(config, ids.length, { trained, checkpointing });
      return sum + numbers.kept + 3 * rows.length * config.hiddenSize;
    }, 0);
    // Beside them stand the batch's own numbers, its tables and masks, and attention's padding.
    const share = said / kept;
    const what = `${batch.ids.length} tokens, checkpointing ${checkpointing}`;
    assert(share > (checkpointing ? 0.6 : 0.85) && share < 1.2, `${what}: ${said} of ${kept}`);
  }
});

Deno.test("countParameters() counts the model and its adapter", async () => {
  using models = await buildModels({ sftModelPath: MODEL, rank: 4, backend });
  const size = (tensors: Iterable<{ size: number }>) =>
    [...tensors].reduce((sum, { size }) => sum + size, 0);
  const frozen = size(models.network.weights.values());
  const trained = models.trainable.values.reduce((sum, { length }) => sum + length, 0);
  const adapter = { rank: 4, targetModules: ["q_proj", "v_proj"] };
  assertEquals(countParameters(config, adapter), { frozen, trained });
  assertEquals(countParameters(config, "all"), { frozen: 0, trained: frozen });
});

Deno.test("estimate() counts steps and tokens as the run will, and leaves no tensor behind", async () => {
  await useBackend({ backend });
  const before = tf.memory().numTensors;
  const whole = await estimate(config, rows, { batchSize: 2, epochs: 3, validation: rows });
  assertEquals([whole.steps, whole.stepsPerEpoch, whole.rows], [18, 6, 12]);
  assertEquals(whole.tokens.shared, packPairs(rows).ids.length);
  const { reference, epoch, judging, run } = whole.seconds;
  assert(Math.abs(run - (reference + 3 * (epoch + judging))) < 1e-9);
  assert(reference > judging && judging > 0, "the reference is asked about both sets");
  const short = await estimate(config, rows, { batchSize: 2, maxSteps: 2 });
  assertEquals(short.steps, 2);
  assert(short.tokens.shared < whole.tokens.shared);
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("estimate() figures leaner ways from the rows that the run takes", async () => {
  await useBackend({ backend });
  const long = { ...rows[0], prompt: Array(300).fill(5) };
  for (const at of [0, 5, 11]) { // wherever the shuffle puts it
    const some = rows.map((row, i) => i === at ? long : row);
    const runs = await Promise.all(
      [undefined, 3].map((maxSteps) =>
        estimate(config, some, { batchSize: 4, epochs: 1, maxSteps })
      ),
    );
    const [whole, capped] = runs.map(({ leaner, memory }) => leaner[1].peak - memory.runtime);
    assertEquals(capped, whole); // three steps of four are all twelve rows
  }
});

Deno.test("estimate() refuses to tell of nothing, and of what can't be trained", async () => {
  const { message } = await userError(estimate(config, []));
  assertEquals(message, "Cannot estimate: wanted at least one row and one step, found none");
  await userError(estimate(config, rows, { maxSteps: 0 }));
  const all = await userError(estimate(config, rows, { allWeights: true, precision: "bfloat16" }));
  assertEquals(all.message, "Cannot train all weights in bfloat16: wanted float32");
});

Deno.test("estimate() knows leaner ways, and SFT, which asks no reference", async () => {
  await useBackend({ backend });
  const { memory, leaner } = await estimate(config, rows, { batchSize: 4 });
  assertEquals(leaner.map(({ flags }) => flags), [
    "--gradient_checkpointing",
    "--batch_size 1 --gradient_accumulation_steps 4",
    "--batch_size 1 --gradient_accumulation_steps 4 --gradient_checkpointing",
  ]);
  assert(leaner.every(({ peak }) => peak < memory.peak));
  const parts = memory.weights + memory.trained + memory.activations + memory.logits;
  assert(memory.peak >= memory.runtime + parts);
  const examples = rows.map(({ index, prompt, chosen }) => ({ index, prompt, completion: chosen }));
  const sft = await estimate(config, examples, { allWeights: true, checkpointing: true });
  assertEquals([sft.seconds.reference, sft.parameters.frozen], [0, 0]);
  assertEquals(sft.tokens.unshared, sft.tokens.shared + examples.length); // the last token predicts nothing
  assertEquals(sft.leaner.map(({ flags }) => flags), [
    "--batch_size 1 --gradient_accumulation_steps 4",
  ]);
});

Deno.test("figuredSeconds() is arithmetic at a share of the peak, and a start for each kernel", () => {
  const [a100] = HARDWARE;
  const [one, two] = [1, 2].map((n) => figuredSeconds(a100, { flops: n * 5.85e12, passes: 100 }));
  assertEquals([one.toFixed(6), two.toFixed(6)], ["1.150000", "2.150000"]);
});

Deno.test("estimateReport() fits 80 columns, and says when it does not fit", async () => {
  await useBackend({ backend });
  const result = await estimate(config, rows, { batchSize: 4 });
  const report = (memoryBytes?: number) =>
    estimateReport(result, { noun: "pair", batchSize: 4, memoryBytes });
  assertEquals(report(25e9).split("\n").filter((line) => line.length > 80), []);
  assert(report(25e9).includes(" of this machine's 25 GB\n"), report(25e9));
  assert(report(1e8).includes(" of this machine's 100 MB. It does not fit."), report(1e8));
  assert(!report().includes("machine's "), report());
});

Deno.test("estimate() counts the forward passes that a loss takes beside its step's and its judging's", async () => {
  const options = { backend, batchSize: 4, validation: rows };
  const plain = await estimate(config, rows, options);
  const extraForwards = { step: 1, judging: 1 };
  const more = await estimate(config, rows, { ...options, extraForwards });
  const share = ({ seconds }: typeof plain) => seconds.judging / seconds.reference;
  // The reference answers the training rows and these ones, which are the same here.
  assertClose([share(plain), share(more)], [0.5, 1], { absolute: 1e-9 });
  const [before, after] = [plain, more].map(({ hardware }) => hardware[0].epochSeconds);
  assert(after > 1.2 * before && after < 2 * before, `${before} -> ${after}`);
});
