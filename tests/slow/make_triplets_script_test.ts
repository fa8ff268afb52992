import { join } from "node:path";
import { drawCase, writeNote, writeSummary } from "../../lib/data/synthetic_notes.ts";
import { createRandom } from "../../lib/random.ts";
import { assert, assertEquals } from "../../lib/std.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Runs a script with its own permission set and nothing else. */
async function run(name: string, ...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", `-P=${name}`, "--no-prompt", `scripts/${name}.ts`, ...args],
    cwd: root,
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("make_triplets.ts makes of any format the same pairs, in which lint_triplets.ts finds nothing", async () => {
  const folder = await Deno.makeTempDir({ dir: join(root, "phase2_data"), prefix: "test_" });
  const place = `phase2_data/${folder.split(/[/\\]/).at(-1)}`;
  try {
    const random = createRandom(9);
    const rows = Array.from({ length: 150 }, () => {
      const facts = drawCase(random);
      return {
        talk: writeNote(facts, random).slice(0, -"\n\nSummary:".length),
        note: writeSummary(facts),
      };
    });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const table = (mark: string) =>
      [
        "talk,note".replace(",", mark),
        ...rows.map(({ talk, note }) => [talk, note].map(quoted).join(mark)),
      ]
        .join("\n");
    const files = {
      "a.csv": table(","),
      "a.tsv": table("\t"),
      "a.json": JSON.stringify(rows, null, 2),
      "a.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
    };
    const made: string[] = [];
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
      const { code, stdout, stderr } = await run(
        ...[
          "make_triplets",
          "--source",
          `${place}/${name}`,
          "--output",
          `${place}/made.jsonl`,
        ] as const,
        ...["--prompt_column", "talk", "--chosen_column", "note", "--negatives", "3", "--json"],
      );
      assertEquals(code, 0, stderr);
      const { triplets, rows: used, similarity, length_difference } = JSON.parse(stdout);
      assertEquals([triplets, used], [450, 150]);
      assert(similarity > 0.9 && Math.abs(length_difference) < 0.02, stdout);
      made.push(await Deno.readTextFile(join(folder, "made.jsonl")));
    }
    assertEquals(new Set(made).size, 1);
    const lint = await run("lint_triplets", "--file", `${place}/made.jsonl`, "--strict");
    assertEquals(lint.code, 0, lint.stdout);
    assert(lint.stdout.endsWith("450 pairs: nothing found."), lint.stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
