/**
 * Whether `estimate` tells the truth: five settings and two models, each said beforehand and then
 * run, in processes of their own, one after the other.
 *
 *     deno run -q -A bench/estimate_holds.ts [ROUNDS] [MODEL_FOLDER]
 */
import type { EstimateOptions } from "../lib/estimate/estimate.ts";
import { loadTriplets } from "../lib/data/load_triplets.ts";
import { encodePairs } from "../lib/tokenizer/encode_all.ts";
import { loadTokenizer } from "../lib/tokenizer/load_tokenizer.ts";
import type { EncodedPair } from "../lib/types.ts";
import type { RunFigures } from "./estimate_run.ts";
import { makeBenchPairs } from "./pairs.ts";

const EMBEDDED = "models/sft_specialist/final_model";
const SETTINGS: Record<string, EstimateOptions> = {
  "batch 4": { rank: 8, batchSize: 4 },
  "batch 4, checkpointing": { rank: 8, batchSize: 4, checkpointing: true },
  "batch 1": { rank: 8, batchSize: 1 },
  "batch 2, all-linear, r 32": { rank: 32, targetModules: ["all-linear"], batchSize: 2 },
  "batch 4, bfloat16": { rank: 8, batchSize: 4, precision: "bfloat16" },
};
const RUN = new URL("./estimate_run.ts", import.meta.url).pathname;
const ALLOWED = ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys"];

const [rounds = "1", modelPath = "models/SmolLM2-135M-Instruct"] = Deno.args;
const large = (await makeBenchPairs({ modelPath, count: 16, maxTokens: 500 }))
  .map(({ encoded }) => encoded);
const triplets = await loadTriplets("phase2_data/dpo/train_dpo.jsonl");
const small = encodePairs(await loadTokenizer(EMBEDDED), triplets.slice(0, 800)).rows;

console.log(`said / run                          epoch, s       reference, s     peak, GiB`);
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, options] of Object.entries(SETTINGS)) {
    await compare(name, { model: modelPath, pairs: large, options });
  }
  await compare("embedded, batch 4", {
    model: EMBEDDED,
    pairs: small,
    options: SETTINGS["batch 4"],
  });
}

async function compare(
  name: string,
  { model, pairs, options }: { model: string; pairs: EncodedPair[]; options: EstimateOptions },
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(pairs));
  const figures = async (what: string): Promise<RunFigures> => {
    const args = ["run", "-q", ...ALLOWED, RUN, what, model, path, JSON.stringify(options)];
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
  };
  const said = await figures("estimate"), run = await figures("run");
  await Deno.remove(path);
  const cell = (key: keyof RunFigures, unit = 1) => {
    const [a, b] = [said[key] / unit, run[key] / unit];
    const off = `${a < b ? "" : "+"}${Math.round(100 * (a / b - 1))} %`;
    return `${a.toFixed(2)}/${b.toFixed(2)} ${off}`.padStart(18);
  };
  console.log(`${name.padEnd(27)}${cell("epoch")}${cell("reference")}${cell("peak", 2 ** 30)}`);
}
