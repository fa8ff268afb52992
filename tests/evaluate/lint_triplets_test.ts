import { join } from "node:path";
import { encodingTrouble } from "../../lib/evaluate/encoding_trouble.ts";
import {
  type LintCheck,
  lintTriplets,
  type LintTripletsOptions,
} from "../../lib/evaluate/lint_triplets.ts";
import { loadTriplets } from "../../lib/data/load_triplets.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { encodePairs } from "../../lib/tokenizer/encode_all.ts";
import { loadTokenizer } from "../../lib/tokenizer/load_tokenizer.ts";
import type { Triplet } from "../../lib/types.ts";

const root = new URL("../../", import.meta.url).pathname;
const GOOD: Triplet = {
  prompt: "Note: left knee pain for 3 days.",
  chosen: " Left knee pain for 3 days.",
  rejected: " Left knee pain for 5 days.",
};

/** Checks with a finding: the name, and each row as "set index: note". */
function findings(checks: LintCheck[]): Record<string, string[]> {
  return Object.fromEntries(
    checks.filter(({ rows }) => rows !== null && rows.length > 0).map(({ name, rows }) => [
      name,
      rows!.map(({ set, index, note }) => `${set} ${index}: ${note}`),
    ]),
  );
}

const lint = (rows: Triplet[], options?: LintTripletsOptions) =>
  findings(lintTriplets(rows, options));

Deno.test("lintTriplets() finds nothing in good pairs, and says what it could not look for", () => {
  const checks = lintTriplets([GOOD]);
  assertEquals(findings(checks), {});
  const unknown = checks.filter(({ rows }) => rows === null).map(({ name, next }) => [name, next]);
  assertEquals(unknown, [
    ["overlap", "not looked for: needs --val_file"],
    ["long prompts", "not looked for: needs --model_path"],
    ["cut answers", "not looked for: needs --model_path"],
  ]);
  assertEquals(findings(lintTriplets([])), {});
});

Deno.test("lintTriplets() finds each fault on a pair made for it, and no other", () => {
  const turned = { ...GOOD, chosen: GOOD.rejected, rejected: GOOD.chosen };
  const cases: [string, Triplet[], LintTripletsOptions, string[]][] = [
    ["duplicates", [GOOD, { ...GOOD }], {}, ["train 1: same as train row 1"]],
    ["overlap", [GOOD], {
      validation: [{ ...GOOD, prompt: "Note:  left knee pain\nfor 3 days." }],
    }, ["validation 0: prompt of train row 1"]],
    ["overlap", [GOOD], {
      validation: [{ ...GOOD, prompt: `\n${GOOD.prompt} ` }],
    }, ["validation 0: prompt of train row 1"]],
    ["far apart", [{ ...GOOD, chosen: "kitten", rejected: "sitting" }], {
      minSimilarity: 0.6,
    }, ["train 0: 57.1% alike"]],
    ["only spaces", [{ ...GOOD, rejected: " Left knee  pain for 3\tdays. " }], {}, [
      "train 0: only spaces differ",
    ]],
    ["encoding", [{ ...GOOD, prompt: "NotÃ©: left knee pain for 3 days." }], {}, [
      "train 0: mojibake in prompt",
    ]],
  ];
  for (const [name, rows, options, wanted] of cases) {
    assertEquals(lint(rows, options), { [name]: wanted }, name);
  }
  // The pair turned round has the right answer rejected, too: the hint goes with it.
  assertEquals(lint([GOOD, turned]), {
    "turned round": ["train 1: reverse of train row 1"],
    "supported rejected": ['train 1: chosen says "5 days"'],
  });
});

Deno.test("lintTriplets() tells messages by their roles, and a pair in both files by its prompt only", () => {
  const chat = (role: string): Triplet => ({
    prompt: [{ role, content: "Left knee pain for 3 days." }],
    chosen: [{ role: "assistant", content: "Left knee pain for 3 days." }],
    rejected: [{ role: "assistant", content: "Left knee pain for 5 days." }],
  });
  assertEquals(lint([chat("user"), chat("system")]), {});
  assertEquals(lint([chat("user"), chat("user")]), {
    duplicates: ["train 1: same as train row 1"],
  });
  const spaced = chat("user");
  spaced.prompt = [{ role: "user", content: "  Left knee pain for 3 days.\n" }];
  assertEquals(lint([chat("user")], { validation: [spaced, chat("system")] }), {
    overlap: ["validation 0: prompt of train row 1"],
  });
  assertEquals(lint([GOOD], { validation: [GOOD] }), {
    overlap: ["validation 0: prompt of train row 1"],
  });
});

Deno.test("lintTriplets() calls a length a bias when it is large, certain, and on 30 pairs", () => {
  const make = (count: number, words: (i: number) => string) =>
    Array.from({ length: count }, (_, i): Triplet => ({
      prompt: `Note ${i + 100}: left knee pain for 3 days.`,
      chosen: ` Left knee pain for 3 days${words(i)}`,
      rejected: " Left knee pain for 5 days",
    }));
  const longer = make(30, (i) => i === 7 ? " in the left knee" : " knee");
  const [bias] = lintTriplets(longer).filter(({ name }) => name === "length bias");
  assertEquals(bias.rows!.length, 30);
  assertEquals(bias.rows![0].index, 7);
  assertEquals(bias.rows![0].note, "17 characters longer");
  assertEquals(
    bias.figure,
    "chosen 31.4, rejected 26.0 characters on average: 20.8% longer",
  );
  assertEquals(lint(longer.slice(1)), {}, "29 pairs prove nothing");
  assertEquals(
    lint(make(30, (i) => i ? "" : " knee".repeat(12)), { minSimilarity: 0 }),
    {},
    "one answer is chance",
  );
  assertEquals(lint(make(30, () => "s")), {}, "4 % is small");
  const shorter = longer.map((row) => ({ ...row, chosen: row.rejected, rejected: row.chosen }));
  assert(lint(shorter)["length bias"][0].endsWith("17 characters shorter"));
});

Deno.test("lintTriplets() counts tokens as training does, EOS included", async () => {
  const tokenizer = await loadTokenizer(join(root, "tests/golden/tokenizers/byte_level"));
  const count = (text: string) => tokenizer.encode(text).length;
  const prompt = count(GOOD.prompt as string);
  const whole = count(`${GOOD.prompt}${GOOD.chosen}`) + 1;
  const at = (maxLength: number) => lint([GOOD], { tokenizer, maxLength });
  assertEquals(at(whole), {});
  assertEquals(at(whole - 1), { "cut answers": [`train 0: ${whole} tokens`] });
  assertEquals(at(prompt + 1), {
    "cut answers": [`train 0: ${whole} tokens, what differs is cut off`],
  });
  // What is said of a pair is what training does with it.
  for (let maxLength = prompt + 1; maxLength < whole; maxLength++) {
    const { dropped } = encodePairs(tokenizer, [GOOD], { maxLength, skipInvalid: true });
    const [note] = at(maxLength)["cut answers"];
    assertEquals(note.endsWith("what differs is cut off"), dropped === 1, `at ${maxLength}`);
  }
  assertEquals(at(prompt), { "long prompts": [`train 0: ${prompt} tokens`] });
});

Deno.test("lintTriplets() reports the rarer of two normal forms, and a row that mixes them", () => {
  const row = (name: string, form: "NFC" | "NFD") => ({
    ...GOOD,
    prompt: `${name.normalize(form)}: left knee pain for 3 days.`,
  });
  const rows = [row("José", "NFC"), row("René", "NFC"), row("Zoé", "NFD")];
  assertEquals(lint(rows), { encoding: ["train 2: accents decomposed, others not"] });
  assertEquals(lint([rows[2]]), {}, "one form throughout is no fault");
  const both = { ...GOOD, prompt: `${rows[0].prompt} ${rows[2].prompt}` };
  assertEquals(lint([both]), { encoding: ["train 0: accents in two normal forms"] });
});

Deno.test("encodingTrouble() knows what wrong decoding leaves, and leaves right text alone", () => {
  // What an encoder really makes of each: UTF-8 read as Windows-1252.
  const misread = (text: string) =>
    new TextDecoder("windows-1252").decode(new TextEncoder().encode(text));
  for (
    const text of ["é", "café", "37 °C", "µg", "don’t", "“so”", "5–7", "•", "¿", "👍", "\ufeffa"]
  ) {
    assertEquals(encodingTrouble(misread(text)), "mojibake", misread(text));
  }
  for (
    const text of [
      "Café, 37 °C, 5 µg, ½",
      "«MAÇÃ» “MANHÃ”",
      "«CAFÉ» „Spaß”",
      "don’t – “so” …",
      "👩‍⚕️",
      "a\tb\r\nc",
    ]
  ) assertEquals(encodingTrouble(text), null, text);
  assertEquals(encodingTrouble("a\ufffdb"), "U+FFFD");
  assertEquals(encodingTrouble("a\u0000b"), "control character");
  assertEquals(encodingTrouble("a\u200bb"), "invisible character");
});

Deno.test("lintTriplets() never calls a pair far apart that changes one clinical detail", () => {
  const pair = (chosen: string, rejected: string) => lint([{ prompt: "Note.", chosen, rejected }]);
  assertEquals(pair("Penicillin.", "Doxycycline."), {});
  assertEquals(Object.keys(pair("Penicillin.", "No complaints.")), ["far apart"]);
});

Deno.test("lintTriplets() compares long answers by what lies between equal ends", () => {
  const end = "x ".repeat(3000);
  const row = (a: string, b: string) => ({
    ...GOOD,
    chosen: `${end}${a}${end}`,
    rejected: end + b + end,
  });
  assertEquals(lint([row("left", "right")]), {});
  const [a, b] = ["a".repeat(6000), "b".repeat(6000)];
  assertEquals(lint([{ ...GOOD, chosen: a, rejected: b }]), {
    "far apart": ["train 0: 0.0% alike"],
  });
  // 6,000 of 18,000 characters differ, of which 4,000 are compared.
  assertEquals(lint([row(a, b)], { minSimilarity: 0.67 }), {
    "far apart": ["train 0: 66.7% alike"],
  });
});

Deno.test("lintTriplets() takes 10,000 pairs, alike and far apart, without quadratic work", () => {
  const rows = Array.from({ length: 10_000 }, (_, i): Triplet => ({
    prompt: `Note ${i}: left knee pain for ${i} days.`,
    chosen: ` Left knee pain for ${i} days.`,
    rejected: i % 2 ? ` Left knee pain for ${i + 1} days.` : " Well.",
  }));
  const start = performance.now();
  assertEquals(lint(rows)["far apart"].length, 5000);
  // Measured: under 1 s; pairs of pairs would be 50 million.
  assert(performance.now() - start < 20_000);
});

Deno.test("the embedded triplets have nothing that lintTriplets() looks for", async () => {
  const load = (name: string) => loadTriplets(join(root, `phase2_data/dpo/${name}_dpo.jsonl`));
  const checks = lintTriplets(await load("train"), {
    validation: await load("val"),
    tokenizer: await loadTokenizer(join(root, "models/sft_specialist/final_model")),
  });
  assertEquals(findings(checks), {});
  assert(checks.every(({ rows }) => rows !== null));
});
