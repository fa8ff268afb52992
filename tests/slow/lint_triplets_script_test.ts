import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Runs the script with its own permission set and nothing else. */
async function run(...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=lint_triplets", "--no-prompt", "scripts/lint_triplets.ts", ...args],
    cwd: root,
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withFile(rows: unknown[], use: (file: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ dir: join(root, "models"), prefix: "test-" });
  try {
    const file = `models/${folder.split(/[/\\]/).at(-1)}/rows.jsonl`;
    await Deno.writeTextFile(join(root, file), rows.map((row) => JSON.stringify(row)).join("\n\n"));
    await use(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const PAIR = {
  prompt: "Left knee pain for 3 days.",
  chosen: " Left knee pain for 3 days.",
  rejected: " Left knee pain for 5 days.",
};
const HINTED = { ...PAIR, prompt: "Left knee pain for 5 days." };

Deno.test("lint_triplets.ts shows each row by file and line, within 80 columns, or all as JSON", async () => {
  await withFile([PAIR, PAIR, PAIR, PAIR, PAIR, HINTED], async (file) => {
    const [plain, strict, json] = await Promise.all([
      run("--file", file),
      run("--file", file, "--strict"),
      run("--file", file, "--val_file", file, "--json", "--strict"),
    ]);
    assertEquals([plain.code, strict.code, json.code], [0, 1, 1], plain.stderr);
    assertEquals(plain.stdout, strict.stdout);
    const lines = plain.stdout.split("\n");
    assert(lines.every((line) => line.length <= 80), plain.stdout);
    // The second pair stands in the third line: blank lines count.
    const words = plain.stdout.replace(/\s+/g, " ");
    assert(words.includes(`duplicates 4 ${file}:3: same as ${file}:1 `), words);
    assert(words.includes("and 1 more -> keep one of each"), words);
    assert(words.endsWith("6 pairs: 1 check found something; 1 hint."), words);
    const { pairs, ok, checks } = JSON.parse(json.stdout);
    assertEquals([pairs, ok], [12, false]);
    const of = (name: string) => checks.find((check: { name: string }) => check.name === name);
    assertEquals([of("duplicates").count, of("overlap").count], [8, 6]);
    assertEquals([of("long prompts").count, of("long prompts").rows], [null, null]);
    assertEquals(of("supported rejected").is_hint, true);
    assertEquals(of("overlap").rows[1], {
      set: "validation",
      index: 1,
      place: { path: file, line: 3 },
      note: `prompt of ${file}:1`,
    });
  });
});

Deno.test("lint_triplets.ts --strict lets hints pass, and --max_length asks for a tokenizer", async () => {
  await withFile([HINTED], async (file) => {
    const model = ["--model_path", "tests/golden/tokenizers/byte_level"];
    const [hint, short, alone] = await Promise.all([
      run("--file", file, "--strict"),
      run("--file", file, "--strict", ...model, "--max_length", "8"),
      run("--file", file, "--max_length", "8"),
    ]);
    assertEquals(hint.code, 0, hint.stdout);
    assert(hint.stdout.endsWith("1 pair: nothing found; 1 hint."), hint.stdout);
    assertEquals(short.code, 1, short.stderr);
    assert(/^long prompts +1 /m.test(short.stdout), short.stdout);
    assertEquals([alone.code, alone.stdout], [2, ""]);
    assertEquals(alone.stderr, "--max_length counts tokens: name the model too (--model_path)");
  });
});

Deno.test("lint_triplets.ts ends bad input in one sentence", async () => {
  await withFile([{ ...PAIR, chosen: "\ud800" }], async (file) => {
    const wanted: [string[], number, string][] = [
      [["--file", file], 1, `Cannot parse triplet at "${file}" line 1: "chosen" must be valid`],
      [["--file", "no.jsonl"], 1, 'Cannot read "no.jsonl": there is no such file'],
      [["--file", file, "--min_similarity", "2"], 2, "--min_similarity"],
      [["--file", file, "--strcit"], 2, "Unknown flag --strcit; did you mean --strict?"],
      [[], 2, "--file is missing"],
    ];
    const runs = await Promise.all(wanted.map(([args]) => run(...args)));
    runs.forEach(({ code, stdout, stderr }, i) => {
      const [, exitCode, message] = wanted[i];
      assertEquals([code, stdout], [exitCode, ""], stderr);
      assert(stderr.startsWith(message), stderr);
    });
  });
});
