/**
 * DPO on a real model, TRL and dpo-kit side by side: the same 16 pairs, float32, LoRA r=8, batches of
 * 4, the reference precomputed on both sides, a process of its own each time, in turn.
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
};

const OURS = ["--allow-read", "--allow-ffi", "--allow-env", "--allow-sys"];

const [rounds = "3", modelPath = "models/SmolLM2-135M-Instruct"] = Deno.args;
const pairs = await makeBenchPairs({ modelPath, count: 16, maxTokens: 500 });
const pairsPath = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(pairsPath, JSON.stringify(pairs));
const python = await clientPython();
const here = (file: string) => new URL(file, import.meta.url).pathname;
const sides = {
  "TRL": [python, here("trl_baseline.py")],
  "dpo-kit": [Deno.execPath(), "run", "-q", ...OURS, here("dpo_kit_epoch.ts")],
};
const epochs: Record<string, Epoch[]> = { "TRL": [], "dpo-kit": [] };
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, command] of Object.entries(sides)) {
    const epoch = await runEpoch([...command, modelPath, pairsPath]);
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
  console.log("pairs/s     min   median      max   peak GiB");
  for (const [name, list] of Object.entries(epochs)) {
    const speeds = spread(list.map((epoch) => epoch.pairsPerSecond));
    const peak = Math.max(...list.map((epoch) => epoch.peakMemoryBytes)) / 2 ** 30;
    const columns = speeds.map((speed) => speed.toFixed(3).padStart(8)).join(" ");
    console.log(`${name.padEnd(7)}${columns} ${peak.toFixed(2).padStart(10)}  ${list[0].versions}`);
  }
  const ratios = epochs["dpo-kit"].map((ours, i) =>
    ours.pairsPerSecond / epochs.TRL[i].pairsPerSecond
  );
  const [min, median, max] = spread(ratios).map((ratio) => ratio.toFixed(2));
  console.log(`ratio of each round: ${min}x to ${max}x, median ${median}x`);
}

function spread(values: number[]): [min: number, median: number, max: number] {
  const sorted = values.toSorted((a, b) => a - b), middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  return [sorted[0], median, sorted.at(-1)!];
}
