import type * as tf from "@tensorflow/tfjs";
import { readPeftAdapter } from "../../lib/io/peft_adapter.ts";
import { openSafetensors } from "../../lib/io/safetensors.ts";
import type { LoraAdapter } from "../../lib/lora/lora_adapter.ts";
import { adapterFromPeft } from "../../lib/lora/peft_format.ts";
import { loadNetwork } from "../../lib/model/load_network.ts";
import { openCheckpoint } from "../../lib/model/open_checkpoint.ts";
import { type Adapters, type Network, weightOf } from "../../lib/model/network.ts";
import { headName } from "../../lib/model/embedding.ts";
import { tokenLogProbs } from "../../lib/model/token_log_probs.ts";
import { packExamples } from "../../lib/tokenizer/token_batch.ts";
import type { EncodedPair, HostTensor, TokenBatch } from "../../lib/types.ts";

type Sides = { chosen: number[]; rejected: number[] };

/** What tests/golden/make_tiny_models.py says of one adapter. */
export type AdapterNumbers = {
  scale: number;
  logProbs: Sides;
  losses: number[];
  loss: number;
  rewards: Sides;
  greedy: number[];
};

/** What tests/golden/make_tiny_models.py says of one model. */
export type TinyGolden = {
  beta: number;
  pairs: EncodedPair[];
  logProbs: Sides;
  greedy: { prompt: number[]; tokens: number[] };
  sftLoss: number;
  adapter_qv: AdapterNumbers;
  adapter_all: AdapterNumbers;
};

/** One model of each family, and of what configs add. */
export const TINY_FAMILIES = [
  "llama3_rope",
  "qwen2",
  "qwen2_window",
  "qwen3",
  "mistral",
  "gpt2",
  "gemma3",
  "gemma3_seeing",
];

export const TINY_MODELS = [
  "mha_tied",
  "gqa_free_head",
  "biases",
  "wide_heads",
  "bf16_sharded",
  "f16",
  ...TINY_FAMILIES,
];
export const TINY_ADAPTERS = ["adapter_qv", "adapter_all"] as const;

export function tinyFolder(name: string): string {
  return new URL(`../golden/tiny/${name}`, import.meta.url).pathname;
}

/** A golden model's numbers, its logits and gradients by name. */
export async function readTinyGolden(name: string) {
  const folder = tinyFolder(name);
  const golden: TinyGolden = JSON.parse(await Deno.readTextFile(`${folder}/golden.json`));
  golden.pairs.forEach((pair, index) => pair.index = index);
  return { golden, tensors: await readTensors(`${folder}/golden.safetensors`) };
}

/** The golden checkpoint's weights on the backend in use. */
export async function loadTinyNetwork(name: string): Promise<Network> {
  const checkpoint = await openCheckpoint(tinyFolder(name));
  try {
    return await loadNetwork(checkpoint);
  } finally {
    checkpoint.tensors.close();
  }
}

/** An adapter as PEFT wrote it. */
export async function readTinyAdapter(name: string, adapter: string): Promise<LoraAdapter> {
  return adapterFromPeft(await readPeftAdapter(`${tinyFolder(name)}/${adapter}`));
}

/** The log-probability of every token at every position, `[T, V]`: softmax's logarithm of the logits. */
export async function allLogProbs(
  network: Network,
  adapters: Adapters | null,
  ids: number[],
): Promise<Float32Array> {
  const vocabSize = weightOf<tf.Tensor2D>(network, headName(network)).shape[0];
  const laidOut = packExamples([{ index: 0, prompt: ids, completion: [0] }]);
  const cells = Array.from({ length: ids.length * vocabSize }, (_, i) => i);
  const batch: TokenBatch = {
    ...laidOut,
    rows: Int32Array.from(cells, (cell) => Math.floor(cell / vocabSize)),
    targets: Int32Array.from(cells, (cell) => cell % vocabSize),
    items: new Int32Array(cells.length),
    sides: new Uint8Array(cells.length).fill(1),
  };
  return await tokenLogProbs(network, adapters, batch);
}

async function readTensors(path: string): Promise<Map<string, HostTensor>> {
  const source = await openSafetensors(path), tensors = new Map<string, HostTensor>();
  for (const name of source.names()) {
    tensors.set(name, { shape: source.shape(name), data: await source.read(name) });
  }
  source.close();
  return tensors;
}
