/** What the estimate figures for a gradient pass, against the tensors that one holds at its peak. */
import * as tf from "@tensorflow/tfjs";
import { fusedKernels } from "../../lib/backend/fused_kernels.ts";
import { useBackend } from "../../lib/backend/use_backend.ts";
import { madeUpNetwork } from "../../lib/estimate/made_up_network.ts";
import { runMemory } from "../../lib/estimate/run_memory.ts";
import { initLora } from "../../lib/lora/lora_adapter.ts";
import { disposeAdapters, uploadAdapter } from "../../lib/lora/upload_adapter.ts";
import { familyOf } from "../../lib/model/families.ts";
import { disposeNetwork } from "../../lib/model/load_network.ts";
import type { ModelConfig } from "../../lib/model/model_config.ts";
import { tokenGradients } from "../../lib/model/token_gradients.ts";
import { assert } from "../../lib/std.ts";
import { packPairs } from "../../lib/tokenizer/token_batch.ts";
import { presentBackends } from "../backend/backends.ts";

const SIZES = {
  ...{ vocabSize: 512, hiddenSize: 128, feedForwardSize: 512, layers: 2, maxPositions: 512 },
  ...{ heads: 4, keyValueHeads: 2, headDim: 32, normEpsilon: 1e-6, tiedHead: true },
};
const PLAIN = { ropeTheta: 1e4, attentionBias: false, mlpBias: false };
const BIASES = { attentionBias: true, mlpBias: true };
const CONFIGS: ModelConfig[] = [
  { family: "llama", ...SIZES, ...PLAIN },
  { family: "qwen2", ...SIZES, ...PLAIN, attentionBias: true },
  { family: "qwen3", ...SIZES, ...PLAIN },
  { family: "mistral", ...SIZES, ...PLAIN, windows: { size: 64, layers: [true, true] } },
  { family: "gpt2", ...SIZES, ...BIASES, keyValueHeads: 4, ropeTheta: null },
  { family: "gemma3_text", ...SIZES, ...PLAIN, windows: { size: 64, layers: [true, false] } },
];
const hasKernels = (await presentBackends()).includes("tensorflow") &&
  (await useBackend({ backend: "tensorflow" }), fusedKernels() !== null);

type Tracking = {
  trackTensor(...tensor: unknown[]): void;
  state: { numBytes: number };
};

/** The most bytes that tensors have taken during `run`, beside those that were there. */
async function peakOf(run: () => Promise<void>): Promise<number> {
  const engine = tf.engine() as unknown as Tracking, track = engine.trackTensor;
  const before = engine.state.numBytes;
  let peak = before;
  engine.trackTensor = (...tensor) => {
    track.apply(engine, tensor);
    peak = Math.max(peak, engine.state.numBytes);
  };
  try {
    await run();
    return peak - before;
  } finally {
    engine.trackTensor = track;
  }
}

for (const config of CONFIGS) {
  Deno.test({
    name: `runMemory() figures what a pass holds, and little more: ${config.family}`,
    ignore: !hasKernels,
    async fn() {
      await useBackend({ backend: "tensorflow" });
      const ids = (count: number, from: number) =>
        Array.from({ length: count }, (_, i) => i + from);
      const pair = { prompt: ids(170, 0), chosen: ids(40, 5), rejected: ids(45, 9) };
      const batch = packPairs([{ index: 0, ...pair }, { index: 1, ...pair }]);
      const row = { tokens: batch.ids.length / 2, predicting: batch.rows.length / 2 };
      const network = madeUpNetwork(config, "float32");
      for (const targetModules of [familyOf(config).defaultTargets, ["all-linear"]]) {
        const lora = { rank: 8, alpha: 8, targetModules, rsLora: false };
        const adapters = uploadAdapter(initLora(config, lora, { seed: 0 }));
        for (const checkpointing of [false, true]) {
          const held = await peakOf(async () => {
            const slope = (logProbs: Float32Array) => logProbs.map(() => 1);
            const options = { checkpointing };
            tf.dispose((await tokenGradients(network, adapters, batch, slope, options)).gradients);
          });
          const { activations, logits } = runMemory(config, [[row, row]], {
            ...{ trained: { rank: 8, targetModules }, precision: "float32", runtime: 0 },
            checkpointing,
          });
          const ratio = (activations + logits) / held;
          assert(ratio > 0.95 && ratio < 1.5, `${targetModules} ${checkpointing}: ${ratio}`);
        }
        disposeAdapters(adapters);
      }
      disposeNetwork(network);
    },
  });
}
