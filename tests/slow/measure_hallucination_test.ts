import { join } from "node:path";
import { assert, assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Runs the script with its own permission set and nothing else. */
async function run(...args: string[]) {
  const script = ["run", "-q", "-P=measure_hallucination", "--no-prompt"];
  const command = new Deno.Command(Deno.execPath(), {
    args: [...script, "scripts/measure_hallucination.ts", ...args],
    cwd: root,
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withFolder(use: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ dir: join(root, "models"), prefix: "test-" });
  try {
    await use(`models/${folder.split(/[/\\]/).at(-1)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ROWS = [
  {
    source: "Left knee pain for two weeks.",
    text: "Right knee pain.",
    reference: "Left knee pain.",
  },
  { source: "On aspirin 81 mg.", text: "Aspirin 81 mg." },
  { source: "Fever.", text: "" },
];

Deno.test("measure_hallucination.ts gives a line a row, and the sums as a table or JSON", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/rows.jsonl`, output = `${folder}/measured.jsonl`;
    await Deno.writeTextFile(join(root, file), ROWS.map((row) => JSON.stringify(row)).join("\n"));
    const [plain, written, json] = await Promise.all([
      run("--file", file),
      run("--file", file, "--output", output),
      run("--file", file, "--json"),
    ]);
    for (const { code, stderr } of [plain, written, json]) assertEquals(code, 0, stderr);
    const lines = plain.stdout.split("\n").map((line) => JSON.parse(line));
    assertEquals(lines[0], {
      hallucination_rate: 1 / 3,
      unsupported: [{ text: "Right", kind: "side", start: 0, end: 5 }],
      details: 3,
      recall: 2 / 3,
    });
    const rest = lines.slice(1).map((line) => [line.hallucination_rate, line.details, line.recall]);
    assertEquals(rest, [[0, 2, null], [0, 0, null]]);
    assertEquals((await Deno.readTextFile(join(root, output))).trim(), plain.stdout);
    const table = written.stdout;
    assert(plain.stderr.endsWith(table), "the table goes beside the lines");
    assert(table.startsWith("3 texts, 1 with an unsupported detail (33.3 %)\n"), table);
    assert(/^side +1 +1 +100.0 %$/m.test(table) && /^all +5 +1 +20.0 %$/m.test(table), table);
    const { by_kind, ...sums } = JSON.parse(json.stdout);
    assertEquals(by_kind.drug, { details: 1, unsupported: 0 });
    assertEquals(sums, {
      texts: 3,
      texts_with_hallucination: 1,
      details: 5,
      unsupported_details: 1,
      hallucination_rate: 0.2,
      recall: 2 / 3,
    });
  });
});

Deno.test("measure_hallucination.ts ends bad input in one sentence and writes nothing", async () => {
  await withFolder(async (folder) => {
    const file = `${folder}/rows.jsonl`;
    await Deno.writeTextFile(
      join(root, file),
      `{"source": "Fever."}\n{"source": " ", "text": ""}\n`,
    );
    const wanted: [string[], number, string][] = [
      [
        ["--file", file, "--skip_invalid"],
        1,
        `Cannot use "${file}": wanted at least one row, all 2`,
      ],
      [["--file", "no.jsonl"], 1, 'Cannot read "no.jsonl": there is no such file'],
      [
        ["--file", file, "--output", file],
        1,
        `Cannot write "${file}": it is the file that is read`,
      ],
      [["--file", file, "--outptu", "x"], 2, "Unknown flag --outptu; did you mean --output?"],
      [[], 2, "--file is missing"],
    ];
    const runs = await Promise.all(wanted.map(([args]) => run(...args)));
    runs.forEach(({ code, stdout, stderr }, i) => {
      const [, exitCode, message] = wanted[i];
      assertEquals([code, stdout], [exitCode, ""], stderr);
      assert(stderr.startsWith(message), stderr);
    });
    assertEquals([...Deno.readDirSync(join(root, folder))].map(({ name }) => name), ["rows.jsonl"]);
  });
});
