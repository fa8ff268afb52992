import { assert, assertEquals } from "../../lib/std.ts";
import { readTable } from "../../lib/data/read_table.ts";
import { tripletsFromTable } from "../../lib/negatives/triplets_from_table.ts";
import { DETAIL_KINDS } from "../../lib/data/details/change.ts";
import { measureHallucination } from "../../lib/meter/measure_hallucination.ts";
import { splitTriplets } from "../../lib/data/split_triplets.ts";
import { testUnless } from "../test_unless.ts";
import { userMessage } from "../thrown_by.ts";

const REAL = "../shared/data/mts-dialog/train.csv";
const realRows = await readTable(REAL).catch(() => []);
const noRealRows = realRows.length === 0 && `${REAL} is not there`;

const options = { promptColumn: "talk", chosenColumn: "note", instruction: "Write the note." };
const rows = [
  { talk: "My left knee.", note: " Left-sided trouble.\n" },
  { talk: "", note: "Left hip pain." },
  { talk: "I wheeze.", note: "Wheezes." },
  { talk: "Doctor: Any fever?\nPatient: No.", note: "He has had no fever." },
  { talk: "I am 61.", note: 61 },
];

Deno.test("tripletsFromTable() writes prompts, records the change and counts what it left out", () => {
  const made = tripletsFromTable([...rows, rows[0]], options);
  const { triplets, withoutText, withoutDetail, repeated, dropped } = made;
  assertEquals([triplets.length, made.rows, withoutText, withoutDetail, repeated], [2, 2, 2, 1, 1]);
  assertEquals(triplets[0], {
    prompt: "Write the note.\n\nMy left knee.\n\nSummary:\n",
    chosen: "Left-sided trouble.",
    rejected: "Right-sided trouble.",
    kind: "side",
    before: "left sided",
    after: "right sided",
  });
  assertEquals(triplets[1].rejected, "He has had fever.");
  assertEquals(dropped, { length: 0, similarity: 0, baseless: 0, maybeTrue: 0 });
  const characters = triplets.reduce((sum, { chosen }) => sum + chosen.length, 0);
  assertEquals(made.lengthDifference, (1 - 3) / characters);
  assertEquals(made.similarity, ((1 - 4 / 20) + (1 - 3 / 20)) / 2);
  assertEquals(tripletsFromTable(rows, { ...options, limit: 1 }).triplets, triplets.slice(0, 1));
});

const aged = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    talk: `I am ${i + 20} years old. My left knee hurts.`,
    note: `Pain of the left knee, age ${i + 20}.`,
  }));

Deno.test("tripletsFromTable() gives the same triplets for the same seed, others for another", () => {
  const texts = (seed: number) => tripletsFromTable(aged(50), { ...options, seed }).triplets;
  assertEquals(texts(1), texts(1));
  assert(JSON.stringify(texts(1)) !== JSON.stringify(texts(2)));
});

Deno.test("tripletsFromTable() makes several of a row, of different kinds first, kept on one side", () => {
  const { triplets, ...made } = tripletsFromTable(aged(12), { ...options, negatives: 4 });
  assertEquals([triplets.length, made.rows], [48, 12]);
  const groups = [...Map.groupBy(triplets, ({ prompt }) => prompt).values()];
  for (const group of groups) {
    assertEquals(group.map(({ kind }) => kind).slice(0, 3).toSorted(), ["age", "side", "site"]);
    assertEquals(new Set(group.map(({ rejected }) => rejected)).size, 4);
  }
  assertEquals(triplets, groups.flat(), "a row's triplets stand together");
  const { train, validation } = splitTriplets(triplets, { fraction: 0.3 });
  assertEquals([train.length, validation.length], [36, 12]);
  const prompts = new Set(train.map(({ prompt }) => prompt));
  assert(validation.every(({ prompt }) => !prompts.has(prompt)));
});

Deno.test("tripletsFromTable() favours the kinds that were rare so far", () => {
  const talk = "Doctor: Any fever?\nPatient: No. My left eye hurts.";
  const often = Array.from({ length: 40 }, (_, i) => ({ talk: `${i} ${talk}`, note: "No fever." }));
  const both = Array.from(
    { length: 20 },
    (_, i) => ({ talk: `${i} ${talk}`, note: "No fever. Left eye pain." }),
  );
  const all = { ...options, maxLengthDifference: 1 };
  const { triplets } = tripletsFromTable([...often, ...both], all);
  const denials = triplets.slice(40).filter(({ kind }) => kind === "negation").length;
  assert(triplets.length === 60 && denials < 4, `${denials} of 20`);
  const first = tripletsFromTable([...often, ...both], { ...all, limit: 50 }).triplets;
  assertEquals(first, triplets.slice(0, 50));
});

testUnless(noRealRows, "tripletsFromTable() makes hard and fair triplets of real notes", () => {
  const columns = { promptColumn: "dialogue", chosenColumn: "section_text" };
  const made = tripletsFromTable(realRows.slice(0, 300), { ...options, ...columns, negatives: 3 });
  const { triplets } = made;
  assert(triplets.length > 450, `${triplets.length}`);
  assert(Math.abs(made.lengthDifference) < 0.011, `${made.lengthDifference}`);
  assert(made.similarity > 0.9, `${made.similarity}`);
  const count = (wanted: string) => triplets.filter(({ kind }) => kind === wanted).length;
  assert(count("negation") < 0.25 * triplets.length, `${count("negation")}`);
  const kinds = DETAIL_KINDS.filter((kind) => count(kind) > 0);
  assert(kinds.length >= 18, `${kinds}`);
  for (const { prompt, chosen, rejected } of triplets.slice(0, 100)) {
    const source = prompt.slice(prompt.indexOf("\n\n") + 2, -"\n\nSummary:\n".length);
    const [right, wrong] = [chosen, rejected].map((text) =>
      measureHallucination(text, source).unsupported.length
    );
    assert(wrong > 0 && (wrong > right || rejected.length !== chosen.length), rejected);
  }
});

Deno.test("tripletsFromTable() names a missing column and a table without details", () => {
  assertEquals(
    userMessage(() => tripletsFromTable(rows, { ...options, chosenColumn: "notes" })),
    `Cannot find the column "notes": the table has "talk", "note"; did you mean "note"?`,
  );
  assertEquals(
    userMessage(() => tripletsFromTable([rows[1], rows[2]], options)),
    `Cannot make triplets: of the rows read, 1 lack a text in "talk" or "note" and 1 have no ` +
      `detail to change`,
  );
  const baseless = [{ talk: "Hello.", note: "A red rash of the left eye." }];
  assertEquals(
    userMessage(() => tripletsFromTable(baseless, options)),
    `Cannot make triplets: of the rows read, 0 lack a text in "talk" or "note" and 1 have no ` +
      `detail to change (2 changes tried: 2 of details that "talk" doesn't state, 0 that may be ` +
      `true, 0 too unlike the text)`,
  );
});
