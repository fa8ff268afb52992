/**
 * What a user waits for beside a step: generation and tokenising, against Python in turn; reading a
 * large file; the start of a run.
 *
 *     deno run -q -A bench/rates.ts [ROUNDS] [MODEL_FOLDER]
 */
import { useBackend } from "../lib/backend/use_backend.ts";
import { readTable } from "../lib/data/read_table.ts";
import { readTriplets } from "../lib/data/read_triplets.ts";
import { generateTokens } from "../lib/model/generate_tokens.ts";
import { loadTokenizer } from "../lib/tokenizer/load_tokenizer.ts";
import { loadModels } from "../lib/train/load_models.ts";
import { makeBenchPairs, TABLE } from "./pairs.ts";
import { clientPython } from "./python.ts";

const NEW_TOKENS = 128, ROWS = 1_000_000, ROW_BYTES = 1000;
const EMBEDDED = "models/sft_specialist/final_model";
const here = (file: string) => new URL(file, import.meta.url).pathname;

const [rounds = "3", modelPath = "models/SmolLM2-135M-Instruct"] = Deno.args;
const pairs = await makeBenchPairs({ modelPath, count: 16, maxTokens: 500 });
const prompts = pairs.map(({ encoded }) => encoded.prompt.slice(0, 200));
const rows = await readTable(TABLE);
const texts = rows.flatMap(({ dialogue, section_text }) => [dialogue, section_text])
  .filter((text): text is string => typeof text === "string");
const input = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(input, JSON.stringify({ prompts, texts, newTokens: NEW_TOKENS }));
const python = await clientPython();

type Baseline = {
  generateSeconds: number;
  written: number[][];
  tokeniseSeconds: number;
  tokens: number;
  versions: string;
};

for (let round = 1; round <= Number(rounds); round++) {
  const theirs: Baseline = await json(python, [here("rates_baseline.py"), modelPath, input]);
  if (round === 1) console.log(theirs.versions);
  const ours = await measureModel();
  const same = ours.written.flat().filter((id, i) => id === theirs.written.flat()[i]).length;
  const share = Math.round(100 * same / (16 * NEW_TOKENS));
  const megabytes = texts.reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0) /
    1e6;
  console.log(
    `round ${round}: generation ${rate(16 * NEW_TOKENS, ours.generateSeconds, "tokens/s")}, ` +
      `${
        times(theirs.generateSeconds, ours.generateSeconds)
      } transformers (${share} % the same); ` +
      `tokenising ${rate(megabytes, ours.tokeniseSeconds, "MB/s")}, ` +
      `${times(theirs.tokeniseSeconds, ours.tokeniseSeconds)} Python's` +
      (ours.tokens === theirs.tokens ? "" : ` (${ours.tokens} tokens against ${theirs.tokens})`),
  );
  for (const path of [modelPath, EMBEDDED]) {
    const args = ["run", "-q", "-A", here("first_step.ts"), path];
    const { loaded, begun } = await json<{ loaded: number; begun: number }>(Deno.execPath(), args);
    console.log(
      `  start, ${path}: loaded after ${loaded.toFixed(1)} s, first step begun after ${
        begun.toFixed(1)
      } s`,
    );
  }
}
await Deno.remove(input);
await measureReading();

async function measureModel() {
  await useBackend();
  using models = await loadModels({ modelPath });
  const batch = prompts.map((ids, index) => ({ ids, index }));
  const write = (maxNewTokens: number) =>
    generateTokens(models.network, null, batch, { maxNewTokens, stopIds: [] });
  await write(2);
  let started = performance.now();
  const written = (await write(NEW_TOKENS)).map(({ tokens }) => tokens);
  const generateSeconds = (performance.now() - started) / 1000;
  const tokenizer = await loadTokenizer(modelPath);
  started = performance.now();
  const tokens = texts.reduce((sum, text) => sum + tokenizer.encode(text).length, 0);
  return {
    generateSeconds,
    written,
    tokens,
    tokeniseSeconds: (performance.now() - started) / 1000,
  };
}

async function measureReading(): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  const text = "Patient takes aspirin. ".repeat(ROW_BYTES).slice(0, ROW_BYTES - 80);
  const file = await Deno.open(path, { write: true });
  for (let i = 0; i < ROWS; i += 1000) {
    const row = JSON.stringify({ prompt: text, chosen: ` No. ${i}`, rejected: ` Yes. ${i}` }) +
      "\n";
    await new Blob([row.repeat(1000)]).stream().pipeTo(file.writable, { preventClose: true });
  }
  file.close();
  const { size } = await Deno.stat(path),
    before = Deno.memoryUsage().rss,
    started = performance.now();
  let count = 0, most = 0;
  for await (const _ of readTriplets(path)) {
    if (++count % 50_000 === 0) most = Math.max(most, Deno.memoryUsage().rss);
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `reading ${count} triplets: ${rate(size / 1e6, seconds, "MB/s")}, ` +
      `${Math.round((most - before) / 1e6)} MB more memory at most`,
  );
  await Deno.remove(path);
}

async function json<T>(command: string, args: string[]): Promise<T> {
  const env = { OMP_NUM_THREADS: String(navigator.hardwareConcurrency), HF_HUB_OFFLINE: "1" };
  const { success, stdout, stderr } = await new Deno.Command(command, { args, env }).output();
  if (!success) throw new Error(`${command} failed:\n${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
}

function rate(amount: number, seconds: number, unit: string): string {
  return `${(amount / seconds).toFixed(1)} ${unit}`;
}

function times(theirs: number, ours: number): string {
  return `${(theirs / ours).toFixed(2)}x`;
}
