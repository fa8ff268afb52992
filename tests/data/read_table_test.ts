import { assert, assertEquals } from "../../lib/std.ts";
import { UserError } from "../../lib/errors.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { tripletsFromTable } from "../../lib/data/triplets_from_table.ts";
import { DETAIL_KINDS } from "../../lib/data/details/change.ts";
import { testUnless } from "../test_unless.ts";

const REAL = "../shared/data/mts-dialog/train.csv";
const realRows = await readTable(REAL).catch(() => []);
const noRealRows = realRows.length === 0 && `${REAL} is not there`;

const options = { promptColumn: "talk", chosenColumn: "note", instruction: "Write the note." };
const rows = [
  { talk: "My left knee.", note: " Left knee pain.\n" },
  { talk: "", note: "Left hip pain." },
  { talk: "I wheeze.", note: "Asthma." },
  { talk: "No.", note: "No fever." },
  { talk: "I am 61.", note: 61 },
];

async function withFile<T>(name: string, text: string, use: (path: string) => Promise<T>) {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/${name}`, text);
  try {
    return await use(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function messageOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    assert(error instanceof UserError, `${error}`);
    return error.message;
  }
  return "nothing was thrown";
}

Deno.test("tripletsFromTable() writes prompts, records the change and counts what it left out", () => {
  const made = tripletsFromTable(rows, options);
  assertEquals([made.triplets.length, made.withoutText, made.withoutDetail], [2, 2, 1]);
  assertEquals(made.triplets[0], {
    prompt: "Write the note.\n\nMy left knee.\n\nSummary:\n",
    chosen: "Left knee pain.",
    rejected: "Right knee pain.",
    kind: "side",
    before: "left knee",
    after: "right knee",
  });
  assertEquals(tripletsFromTable(rows, { ...options, limit: 1 }).triplets.length, 1);
});

Deno.test("tripletsFromTable() gives the same triplets for the same seed, others for another", () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ talk: "Hi.", note: `She is ${i + 20}.` }));
  const texts = (seed: number) => tripletsFromTable(many, { ...options, seed }).triplets;
  assertEquals(texts(1), texts(1));
  assert(JSON.stringify(texts(1)) !== JSON.stringify(texts(2)));
});

Deno.test("tripletsFromTable() favours the kinds that were rare so far", () => {
  const often = Array.from({ length: 40 }, () => ({ talk: "Hi.", note: "No fever." }));
  const both = Array.from(
    { length: 20 },
    () => ({ talk: "Hi.", note: "No fever. Left knee pain." }),
  );
  const { triplets } = tripletsFromTable([...often, ...both], options);
  const sides = triplets.filter(({ kind }) => kind === "side").length;
  assert(sides >= 17 && sides < 20, `${sides} of 20`);
  const first = tripletsFromTable([...often, ...both], { ...options, limit: 50 }).triplets;
  assertEquals(first, triplets.slice(0, 50));
});

testUnless(noRealRows, "tripletsFromTable() makes no kind of real notes' details too rare", () => {
  const columns = { promptColumn: "dialogue", chosenColumn: "section_text" };
  const { triplets } = tripletsFromTable(realRows, { ...options, ...columns });
  const count = (wanted: string) => triplets.filter(({ kind }) => kind === wanted).length;
  assert(count("negation") < 0.4 * triplets.length, `${count("negation")} of ${triplets.length}`);
  for (const kind of DETAIL_KINDS) assert(count(kind) >= 12, `${kind}: ${count(kind)}`);
});

Deno.test("tripletsFromTable() names a missing column and a table without details", async () => {
  assertEquals(
    await messageOf(() => tripletsFromTable(rows, { ...options, chosenColumn: "text" })),
    `Cannot find the column "text": the table has "talk", "note"`,
  );
  assertEquals(
    await messageOf(() => tripletsFromTable([rows[1], rows[2]], options)),
    `Cannot make triplets: of the rows read, 1 lack a text in "talk" or "note" and 1 have no ` +
      `detail to change`,
  );
});

Deno.test("readTable() reads CSV with quotes, commas, line breaks and a BOM", async () => {
  const csv = `\ufefftalk,note\r\n"Hi, ""you""\nthere.",x\r\n\r\n"é",y\r\n`;
  await withFile("a.csv", csv, async (path) => {
    assertEquals(await readTable(path), [
      { talk: 'Hi, "you"\nthere.', note: "x" },
      { talk: "é", note: "y" },
    ]);
  });
});

Deno.test("readTable() reads JSONL", async () => {
  await withFile("a.jsonl", `{"talk": "a", "n": 1}\n\n{"talk": "b"}\n`, async (path) => {
    assertEquals(await readTable(path), [{ talk: "a", n: 1 }, { talk: "b" }]);
  });
});

Deno.test("readTable() says what is wrong with a table", async () => {
  const problem = (name: string, text: string) =>
    withFile(name, text, async (path) => {
      const message = await messageOf(() => readTable(path));
      return message.replaceAll(path, "FILE");
    });
  assertEquals(await problem("a.txt", "a"), `Cannot use "FILE": wanted a .csv or a .jsonl file`);
  assertEquals(await problem("a.csv", "a,b\n"), `Cannot use "FILE": it has no rows`);
  assert(
    (await problem("a.csv", "a,b\n1,2,3\n")).startsWith(`Cannot parse "FILE" as CSV: Invalid`),
  );
  assert((await problem("a.csv", `a,b\n1,"2\n`)).startsWith(`Cannot parse "FILE" as CSV: Quote`));
  assertEquals(
    await problem("a.jsonl", "{}\n[1]"),
    `Cannot parse "FILE" line 2: wanted a JSON object`,
  );
  assertEquals(
    await messageOf(() => readTable("no.csv")),
    `Cannot read "no.csv": there is no such file or folder`,
  );
});

Deno.test("readTable() reads a CSV file whose rows end in both kinds of line break", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  await Deno.writeTextFile(path, 'note,dialogue\n"a","Doctor: b.\nPatient: c."\r\n"d","e"\n');
  assertEquals(await readTable(path), [
    { note: "a", dialogue: "Doctor: b.\nPatient: c." },
    { note: "d", dialogue: "e" },
  ]);
});

Deno.test("readTable() reads a CSV piece by piece, and names a line that is not UTF-8", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" }), count = 30_000;
  const wanted = Array.from(
    { length: count },
    (_, i) => ({ talk: `Hi,\n${i}`, note: "é".repeat(30) }),
  );
  const csv = wanted.map(({ talk, note }) => `"${talk}",${note}\n`).join("");
  await Deno.writeTextFile(path, `talk,note\n${csv}`);
  assertEquals(await readTable(path), wanted);
  await Deno.writeFile(path, Uint8Array.of(0xff), { append: true });
  const line = 2 * count + 2;
  assertEquals(
    await messageOf(() => readTable(path)),
    `Cannot read "${path}" line ${line}: not UTF-8`,
  );
});
