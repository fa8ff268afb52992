/**
 * DPO on a real model, TRL and dpo-kit side by side: the same 16 pairs, LoRA r=8, batches of 4, the
 * reference precomputed on both sides, a process of its own each time, in turn.
 *
 *     deno task bench [ROUNDS] [MODEL_FOLDER]
 */
import { makeBenchPairs } from "./pairs.ts";
import { clientPython } from "./python.ts";

type Epoch = {
  pairsPerSecond: number;
  peakMemoryBytes: number;
  losses: number[];
  versions: string;
  flopsPerSecond?: number;
  gemmFlopsPerSecond?: number;
  updateShare?: number;
};

const OURS = ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys"];
const BASELINE = "TRL fp32", HALF_BASELINE = "TRL bf16";
/** Ours by what dpo_kit_epoch.ts calls them, and the side that each is held against. */
const MODES: Record<string, string> = {
  "float32": BASELINE,
  "plain": BASELINE,
  "checkpointing": BASELINE,
  "bf32": HALF_BASELINE,
  "bfloat16": HALF_BASELINE,
  "bfloat16+checkpointing": HALF_BASELINE,
  "wasm": BASELINE,
};

const [rounds = "3", modelPath = "models/SmolLM2-135M-Instruct"] = Deno.args;
const pairs = await makeBenchPairs({ modelPath, count: 16, maxTokens: 500 });
const pairsPath = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(pairsPath, JSON.stringify(pairs));
const python = await clientPython();
const here = (file: string) => new URL(file, import.meta.url).pathname;
const sides: Record<string, string[]> = Object.fromEntries([
  ...["fp32", "bf16"].map((precision) => [
    `TRL ${precision}`,
    [python, here("trl_baseline.py"), modelPath, pairsPath, precision],
  ]),
  ...Object.keys(MODES).map((mode) => [
    mode,
    [Deno.execPath(), "run", "-q", ...OURS, here("dpo_kit_epoch.ts"), modelPath, pairsPath, mode],
  ]),
]);
const epochs: Record<string, Epoch[]> = Object.fromEntries(
  Object.keys(sides).map((name) => [name, []]),
);
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, command] of Object.entries(sides)) {
    const epoch = await runEpoch(command);
    epochs[name].push(epoch);
    console.error(`round ${round + 1}, ${name}: ${epoch.pairsPerSecond.toFixed(3)} pairs/s`);
  }
}
await Deno.remove(pairsPath);
report();

async function runEpoch([command, ...args]: string[]): Promise<Epoch> {
  const env = { OMP_NUM_THREADS: String(navigator.hardwareConcurrency), HF_HUB_OFFLINE: "1" };
  const { success, stdout, stderr } = await new Deno.Command(command, { args, env }).output();
  if (!success) throw new Error(`${command} failed:\n${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

function report(): void {
  const tokens = pairs.map(({ encoded: { prompt, chosen, rejected } }) =>
    prompt.length + Math.max(chosen.length, rejected.length)
  );
  console.log(`16 pairs, ${Math.min(...tokens)} to ${Math.max(...tokens)} tokens, ${modelPath}`);
  console.log(`${epochs[BASELINE][0].versions}\n${epochs.float32[0].versions}\n`);
  console.log("pairs/s                    min median    max   GiB  times TRL (min-max)  of GEMM");
  for (const [name, list] of Object.entries(epochs)) console.log(row(name, list));
  const update = Math.max(...epochs.float32.map((epoch) => epoch.updateShare!));
  console.log(`\nAdamW and the upload of the adapter: at most ${percent(update)} of a step`);
}

function row(name: string, list: Epoch[]): string {
  const speeds = spread(list.map((epoch) => epoch.pairsPerSecond));
  const peak = Math.max(...list.map((epoch) => epoch.peakMemoryBytes)) / 2 ** 30;
  const columns = speeds.map((speed) => speed.toFixed(3).padStart(6)).join(" ");
  return `${name.padEnd(23)}${columns} ${peak.toFixed(2).padStart(5)}  ${timesBaseline(name)}`;
}

/** Each round's ratio, and the share of the rate that a plain matrix product has in that process. */
function timesBaseline(name: string): string {
  if (!MODES[name]) return "";
  const list = epochs[name], baseline = epochs[MODES[name]];
  const ratios = list.map((ours, i) => ours.pairsPerSecond / baseline[i].pairsPerSecond);
  const [min, median, max] = spread(ratios).map((ratio) => ratio.toFixed(2));
  const shares = list.map((epoch) => epoch.flopsPerSecond! / epoch.gemmFlopsPerSecond!);
  return `${median}x (${min}-${max})`.padEnd(19) + percent(spread(shares)[1]).padStart(9);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function spread(values: number[]): [min: number, median: number, max: number] {
  const sorted = values.toSorted((a, b) => a - b), middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return [sorted[0], median, sorted.at(-1)!];
}
