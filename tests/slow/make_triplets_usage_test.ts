import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../../lib/std.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the script with its own permission set and nothing else. */
async function run(...args: string[]) {
  const script = ["run", "-q", "-P=make_triplets", "--no-prompt", "scripts/make_triplets.ts"];
  const command = new Deno.Command(Deno.execPath(), { args: [...script, ...args], cwd: root });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

async function withFolder(use: (folder: string) => Promise<void>) {
  await Deno.mkdir(`${root}phase2_data`, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: `${root}phase2_data`, prefix: "test_" });
  try {
    await use(`phase2_data/${folder.split(/[/\\]/).at(-1)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("make_triplets.ts makes triplets of a CSV, and the same again for the same seed", async () => {
  await withFolder(async (folder) => {
    const rows = Array.from({ length: 9 }, (_, i) => `"Hi, ${i + 30}",She is ${i + 30} years old.`);
    await Deno.writeTextFile(`${root}${folder}/a.csv`, `talk,note\n${rows.join("\n")}\nx,Fine.\n`);
    const columns = ["--prompt_column", "talk", "--chosen_column", "note"];
    const args = ["--source", `${folder}/a.csv`, ...columns, "--instruction", "Write."];
    const first = await run(...args, "--output", `${folder}/1.jsonl`, "--json");
    assertEquals(first.code, 0, first.stderr);
    const { similarity, ...counts } = JSON.parse(first.stdout);
    assert(similarity >= 0.9 && similarity <= 0.95, first.stdout); // a digit or two of 20 characters
    assertEquals([counts], [{
      output: `${folder}/1.jsonl`,
      triplets: 9,
      by_kind: { age: 9 },
      rows: 9,
      without_text: 0,
      repeated: 0,
      without_detail: 1,
      dropped: { baseless: 0, maybe_true: 0, length: 0, similarity: 0 },
      length_difference: 0,
    }]);
    const [triplet] = await loadTriplets(`${root}${folder}/1.jsonl`);
    assertEquals(triplet.prompt, "Write.\n\nHi, 30\n\nSummary:\n");
    assertEquals(triplet.chosen, "She is 30 years old.");
    const second = await run(
      ...args,
      "--output",
      `${folder}/2.jsonl`,
      "--num",
      "5",
      "--negatives",
      "2",
    );
    assertEquals(second.code, 0, second.stderr);
    assert(second.stdout.startsWith(`5 triplets of 3 rows in ${folder}/2.jsonl`), second.stdout);
    assert(
      second.stdout.endsWith(" longer than chosen ones on average, and 95.0% alike."),
      second.stdout,
    );
    assert(second.stderr.startsWith("1 row left out: no detail to change") || second.stderr === "");
    const again = await run(...args, "--output", `${folder}/3.jsonl`, "--num", "3");
    assert(again.stdout.startsWith(`3 triplets in ${folder}/3.jsonl`), again.stdout);
    const [all, some] = await Promise.all(
      ["1", "3"].map((name) => Deno.readTextFile(`${root}${folder}/${name}.jsonl`)),
    );
    assert(all.startsWith(some) && some.split("\n").length === 4);
  });
});

Deno.test("make_triplets.ts ends in one sentence and writes nothing when the input is bad", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${root}${folder}/a.jsonl`, `{"prompt": "a", "chosen": "Fine."}\n`);
    const output = ["--output", `${folder}/b.jsonl`];
    const wanted: [string[], number, string][] = [
      [["--source", "no.csv", ...output], 1, `Cannot read "no.csv": there is no such file`],
      [["--source", `${folder}/a.jsonl`, ...output], 1, "Cannot make triplets: of the rows read"],
      [
        ["--source", `${folder}/a.jsonl`, "--chosen_column", "note", ...output],
        1,
        `Cannot find the column "note": the table has "prompt", "chosen"`,
      ],
      [
        ["--source", "README.md", ...output],
        1,
        `Cannot use "README.md": wanted a .csv, .tsv, .jsonl`,
      ],
      [["--sauce", "a.csv", ...output], 2, "Unknown flag --sauce; did you mean --source?"],
      [["--source", "a.csv", ...output, "--num", "0"], 2, "--num must be a whole number"],
      [
        ["--source", "a.csv", ...output, "--seed=-1"],
        2,
        "--seed must be a whole number of at least 0",
      ],
      [output, 2, "--source is missing"],
    ];
    const runs = await Promise.all(wanted.map(([args]) => run(...args)));
    runs.forEach(({ code, stdout, stderr }, i) => {
      const [, exitCode, message] = wanted[i];
      assertEquals([code, stdout], [exitCode, ""], stderr);
      assert(stderr.split("\n").at(-1)!.startsWith(message), stderr);
    });
    assertEquals([...Deno.readDirSync(`${root}${folder}`)].map(({ name }) => name), ["a.jsonl"]);
  });
});
