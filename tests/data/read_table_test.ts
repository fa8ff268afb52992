import { assert, assertEquals } from "../../lib/std.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { userError } from "../io/damage.ts";

async function withFile<T>(name: string, text: string, use: (path: string) => Promise<T>) {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/${name}`, text);
  try {
    return await use(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

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
      const message = (await userError(readTable(path))).message;
      return message.replaceAll(path, "FILE");
    });
  assertEquals(
    await problem("a.txt", "a"),
    `Cannot use "FILE": wanted a .csv, .tsv, .jsonl, .json or .parquet file`,
  );
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
    (await userError(readTable("no.csv"))).message,
    `Cannot read "no.csv": there is no such file or folder`,
  );
});

Deno.test("readTable() refuses a column named twice, and a list that is not UTF-8", async () => {
  const folder = await Deno.makeTempDir(), path = `${folder}/a.csv`;
  await Deno.writeTextFile(path, "note,talk,note\na,b,c\n");
  assertEquals(
    (await userError(readTable(path))).message,
    `Cannot use "${path}": two of its columns are named "note"; rename one of them`,
  );
  await Deno.writeTextFile(path, "note,,\na,b,c\n");
  assertEquals(await readTable(path), [{ note: "a", "": "c" }], "a column without a name is none");
  const list = `${folder}/a.json`;
  await Deno.writeFile(list, Uint8Array.from(`[{"note": "caf\xe9"}]`, (c) => c.charCodeAt(0)));
  assertEquals((await userError(readTable(list))).message, `Cannot read "${list}": not UTF-8`);
  await Deno.remove(folder, { recursive: true });
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
    (await userError(readTable(path))).message,
    `Cannot read "${path}" line ${line}: not UTF-8`,
  );
});
