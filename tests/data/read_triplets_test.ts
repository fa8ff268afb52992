import fc from "fast-check";
import { assert, assertEquals } from "../../lib/std.ts";
import { UserError } from "../../lib/errors.ts";
import { MAX_LINE_BYTES } from "../../lib/data/records/read_lines.ts";
import { loadExamples } from "../../lib/data/load_examples.ts";
import { loadSourceTexts } from "../../lib/data/load_source_texts.ts";
import { loadTestTriplets } from "../../lib/data/load_test_triplets.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import type { ReadReport } from "../../lib/data/read_rows.ts";
import { readTriplets } from "../../lib/data/read_triplets.ts";
import { userError } from "../io/damage.ts";
import { checkRow, tripletKind, tripletSchema } from "../../lib/data/triplet_schema.ts";

const GOOD = `{"prompt": "Fever?", "chosen": " No.", "rejected": " Yes."}`;
const good = { prompt: "Fever?", chosen: " No.", rejected: " Yes." };

async function withFile<T>(content: string | Uint8Array, use: (path: string) => Promise<T>) {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  try {
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

/** The message of the error that a file's content leads to, with its path as FILE. */
const problem = (
  content: string | Uint8Array,
  load = loadTriplets as (p: string) => Promise<unknown>,
) =>
  withFile(content, async (path) => {
    try {
      await load(path);
    } catch (error) {
      assert(error instanceof UserError, `${error}`);
      return error.message.replaceAll(path, "FILE");
    }
    return "nothing was thrown";
  });

const AT = `Cannot parse triplet at "FILE" line 1: `;
/** What helps where one row is bad. */
const MEND = "; mend it, or pass --skip_invalid to leave it out";

Deno.test("loadTriplets() reads strings, messages, blank lines, CRLF and a BOM", async () => {
  const chat = {
    prompt: [{ role: "system", content: "Be brief." }, { role: "user", content: "Fever?" }],
    chosen: [{ role: "assistant", content: "No." }],
    rejected: [{ role: "assistant", content: "Yes." }],
  };
  const text = `\ufeff${GOOD}\r\n\n  \t\n${JSON.stringify(chat)}\r\n\n${GOOD}`;
  await withFile(text, async (path) => {
    assertEquals(await loadTriplets(path), [good, chat, good]);
    const lines = await Array.fromAsync(readTriplets(path), ({ line }) => line);
    assertEquals(lines, [1, 4, 6]);
  });
});

Deno.test("loadTriplets() says what is wrong in one sentence", async () => {
  const wanted: [string, string][] = [
    [
      `{"prompt": "a", "chosen": "b", "rejected": null}`,
      `"rejected" must be a non-empty string, found null`,
    ],
    [`{"prompt": "a", "chosen": "b"}`, `"rejected" must be a non-empty string, found nothing`],
    [
      `{"prompt": "", "chosen": "b", "rejected": "c"}`,
      `"prompt" must be a non-empty string, found an empty string`,
    ],
    [
      `{"prompt": "a", "chosen": " \\n", "rejected": "c"}`,
      `"chosen" must be a non-empty string, found only white space`,
    ],
    [
      `{"prompt": 7, "chosen": "b", "rejected": "c"}`,
      `"prompt" must be a non-empty string, found the number 7`,
    ],
    [
      `{"prompt": {}, "chosen": "b", "rejected": "c"}`,
      `"prompt" must be a non-empty string, found an object`,
    ],
    [
      `{"prompt": [], "chosen": "b", "rejected": "c"}`,
      `"prompt" must have at least one message, found an empty list`,
    ],
    [
      `{"prompt": ["x"], "chosen": "b", "rejected": "c"}`,
      `"prompt[0]" must be an object, found a string`,
    ],
    [
      `{"prompt": [{"role": "user"}], "chosen": "b", "rejected": "c"}`,
      `"prompt[0].content" must be a non-empty string, found nothing`,
    ],
    [
      `{"prompt": "a", "chosen": "b", "rejected": "b"}`,
      `"rejected" must differ from "chosen", found the same text`,
    ],
    [
      `{"prompt": "a", "chosen": "\\ud83d", "rejected": "b"}`,
      `"chosen" must be valid Unicode, found half of a surrogate pair`,
    ],
    [`null`, `a line must be an object, found null`],
    [`"x"`, `a line must be an object, found a string`],
  ];
  for (const [line, message] of wanted) assertEquals(await problem(line), AT + message + MEND);
  const notJson = await problem(`${GOOD}\n{"prompt": `);
  assert(notJson.startsWith(`Cannot parse triplet at "FILE" line 2: not JSON: `), notJson);
  assert(!notJson.includes("line 1"), notJson);
  const same = [{ role: "assistant", content: "x" }];
  const messages = JSON.stringify({ prompt: "a", chosen: same, rejected: same });
  assertEquals(
    await problem(messages),
    `${AT}"rejected" must differ from "chosen", found the same text${MEND}`,
  );
});

Deno.test("loadTriplets() refuses what is no text: wrong bytes, endless lines, no rows", async () => {
  const bytes = new TextEncoder().encode(GOOD.replace("Fever", "Fev\u00e9"));
  bytes[bytes.indexOf(0xc3)] = 0xff;
  assertEquals(await problem(bytes), `${AT}not UTF-8${MEND}`);
  const utf16 = Uint8Array.from([0xff, 0xfe, ...[...GOOD].flatMap((c) => [c.charCodeAt(0), 0])]);
  assertEquals(await problem(utf16), `${AT}not UTF-8${MEND}`);
  for (const tail of ["", "\n", `\n${GOOD}\n`]) {
    const long = GOOD.replace("Fever", "x".repeat(MAX_LINE_BYTES));
    assertEquals(await problem(long + tail), `${AT}the line is longer than 16 MiB${MEND}`);
  }
  assertEquals(
    await problem("\n \n"),
    `Cannot use "FILE": wanted at least one triplet, it is empty`,
  );
  assertEquals(
    await problem("{}", (path) => loadTriplets(path, { skipInvalid: true })),
    `Cannot use "FILE": wanted at least one triplet, its only row is invalid: ` +
      `${AT}"prompt" must be a non-empty string, found nothing`,
  );
});

Deno.test("loadTriplets() says what a file seems to be whose every row is bad", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  await Deno.writeTextFile(path, "note,summary\nfever,a fever\n");
  const { message } = await userError(loadTriplets(path));
  assertEquals(
    message,
    `Cannot use "${path}": wanted rows with prompt, chosen, rejected, found "note", "summary"; ` +
      "scripts/make_triplets.ts makes triplets of texts and their sources",
  );
  assert(
    (await problem(`${GOOD}\n[1]`)).startsWith('Cannot parse triplet at "FILE" line 2: a line'),
  );
});

Deno.test("a file of another kind is told the keys that it lacks, and of make_triplets for triplets alone", async () => {
  const other = '{"note": "fever", "summary": "a fever"}', found = 'found "note", "summary"';
  const hint = "; scripts/make_triplets.ts makes triplets of texts and their sources";
  const says = (load: (path: string) => Promise<unknown>) => problem(other, load);
  const start = 'Cannot use "FILE": wanted rows with ';
  assertEquals(await says(loadTestTriplets), `${start}prompt, chosen, rejected, ${found}${hint}`);
  assertEquals(await says(loadSourceTexts), `${start}source, text, ${found}`);
  assertEquals(await says(loadExamples), `${start}prompt, completion, ${found}`);
  const prompts = (path: string) => loadExamples(path, { completionKey: "prompt" });
  assertEquals(await says(prompts), `${start}prompt, ${found}`);
});

Deno.test("loadTriplets() reads a JSON list, a CSV and a TSV, and names rows and lines", async () => {
  for (const space of [undefined, 2]) {
    await withFile(`\ufeff ${JSON.stringify([good, good], null, space)}`, async (path) => {
      assertEquals(await loadTriplets(path), [good, good]);
    });
  }
  assert(
    (await problem(JSON.stringify([good, { ...good, chosen: "" }])))
      .startsWith('Cannot parse triplet at "FILE" row 2: "chosen" must be a non-empty string'),
  );
  assert((await problem(`[${GOOD},`)).startsWith('Cannot parse "FILE": it begins as a list, and'));
  for (const [suffix, mark] of [[".csv", ","], [".tsv", "\t"]]) {
    const path = await Deno.makeTempFile({ suffix });
    const rows = [["prompt", "chosen", "rejected"], ['"a\n1"', "b", "c"], ["a", "b", "c"]];
    await Deno.writeTextFile(path, rows.map((row) => row.join(mark)).join("\n"));
    const read = await Array.fromAsync(readTriplets(path));
    assertEquals(read.map(({ line, triplet }) => [line, triplet.prompt]), [[2, "a\n1"], [4, "a"]]);
  }
});

Deno.test("loadTriplets() takes a line of just the largest size", async () => {
  const room = MAX_LINE_BYTES - GOOD.length + "Fever?".length;
  await withFile(GOOD.replace("Fever?", "x".repeat(room)), async (path) => {
    assertEquals((await loadTriplets(path))[0].prompt.length, room);
  });
});

Deno.test("loadTriplets() collects all bad rows and shows the first 20", async () => {
  const text = Array.from({ length: 50 }, (_, i) => (i % 2 ? "{}" : GOOD)).join("\n");
  await withFile(text, async (path) => {
    try {
      await loadTriplets(path);
      assert(false, "nothing was thrown");
    } catch (error) {
      assert(error instanceof UserError, `${error}`);
      const lines = error.message.split("\n");
      assertEquals(lines.length, 22);
      assert(lines[19].includes(`line 40: "prompt" must be a non-empty string, found nothing`));
      assertEquals(lines[20], "... and 5 more");
      assert(lines[21].includes("25 of 50 rows") && lines[21].includes("--skip_invalid"));
      assertEquals([error.path, error.line, error.field], [path, 2, "prompt"]);
    }
    let report: ReadReport | undefined;
    const rows = await loadTriplets(path, { skipInvalid: true, onReport: (r) => report = r });
    assertEquals([rows.length, report?.rows, report?.invalid], [25, 50, 25]);
    assertEquals(report?.problems.length, 20);
  });
});

Deno.test("readTriplets() keeps unknown keys out and reports each once", async () => {
  const text = `{"kind": "dose", ${GOOD.slice(1)}\n{"kind": "side", "__proto__": 1, ${GOOD.slice(1)}
{"prompt": [{"role": "user", "content": "a", "name": "x"}], "chosen": "b", "rejected": "c"}`;
  await withFile(text, async (path) => {
    const rows = readTriplets(path);
    const seen = [];
    let step = await rows.next();
    for (; !step.done; step = await rows.next()) seen.push(step.value.triplet);
    assertEquals(seen, [good, good, {
      prompt: [{ role: "user", content: "a" }],
      chosen: "b",
      rejected: "c",
    }]);
    assertEquals(step.value.unknownKeys, ["kind", "__proto__", "prompt[].name"]);
  });
});

Deno.test("loadTriplets() says that a file is missing or a folder", async () => {
  for (const [path, reason] of [["no/such.jsonl", "no such file"], ["lib", "folder"]]) {
    try {
      await loadTriplets(path);
      assert(false, "nothing was thrown");
    } catch (error) {
      assert(error instanceof UserError, `${error}`);
      assert(error.message.startsWith(`Cannot read "${path}"`) && error.message.includes(reason));
    }
  }
});

Deno.test("loadExamples() reads prompts with completions and calls them so", async () => {
  const row = { prompt: "Fever?", completion: " No." };
  await withFile(JSON.stringify({ ...row, id: 1 }), async (path) => {
    assertEquals(await loadExamples(path), [row]);
  });
  assertEquals(
    await problem(`{"prompt": "Fever?"}`, loadExamples),
    `Cannot parse example at "FILE" line 1: "completion" must be a non-empty string, found nothing` +
      MEND,
  );
  assertEquals(
    await problem(GOOD, loadExamples),
    'Cannot use "FILE": wanted rows with prompt, completion, found triplets; ' +
      '--completion_key chosen imitates their "chosen"',
  );
});

Deno.test("the fast path gives the schema's verdict on any row", () => {
  const text = fc.oneof(
    fc.constantFrom("", " ", "a", "b", "\ud800", "\ufeff", "\u0085", null, 7, true, undefined),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const messages = fc.array(
    fc.oneof(text, fc.record({ role: text, content: text, name: text }, { requiredKeys: [] })),
    { maxLength: 2 },
  );
  const field = fc.oneof(text, messages);
  const row = fc.record({ prompt: field, chosen: field, rejected: field, kind: text }, {
    requiredKeys: [],
  });
  fc.assert(
    fc.property(fc.oneof(row, field), (value) => {
      const checked = checkRow(value, tripletKind);
      const parsed = tripletSchema.safeParse(value);
      assertEquals("row" in checked, parsed.success);
      if ("row" in checked) assertEquals(checked.row, parsed.data!);
      else assert(checked.problem.length > 0);
    }),
    { numRuns: 2000 },
  );
});
