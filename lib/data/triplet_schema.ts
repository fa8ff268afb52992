import { z } from "zod";
import type { Example, Message, Triplet } from "../types.ts";

const isText = (value: string) => value.trim() !== "" && value.isWellFormed();
const text = z.string("must be a non-empty string").refine(isText, {
  error: ({ input }) =>
    (input as string).isWellFormed() ? "must be a non-empty string" : "must be valid Unicode",
});
const message = z.object({ role: text, content: text }, "must be an object");
const field = z.union([text, z.array(message).nonempty("must have at least one message")]);

const fields = { prompt: field, chosen: field, rejected: field };
const answersDiffer = ({ chosen, rejected }: Triplet) => !sameText(chosen, rejected);
const sameAnswers = {
  path: ["rejected"],
  error: 'must differ from "chosen"',
  params: { found: "the same text" },
};

/** One row of a triplets file: strings, or lists of `{role, content}`; other keys are dropped. */
export const tripletSchema: z.ZodType<Triplet> = z.object(fields, "must be an object")
  .refine(answersDiffer, sameAnswers);

/** A pair to judge by, and what was changed in it where its file says so. */
export type TestTriplet = Triplet & { kind?: string };

/** A word or two, which becomes the name of a group; anything else is no kind. */
const kindSchema = z.string().regex(/^[\p{L}\p{N}_ -]{1,20}$/u).optional().catch(undefined);

/** What a kind of row is called, which keys it has, and what it must be. */
export type RowKind<Row> = {
  noun: string;
  /** Those that every row must have. */
  keys: readonly string[];
  optionalKeys?: readonly string[];
  schema: z.ZodType<Row>;
  /** Takes an ordinary good row at once; `null` leaves the verdict to `schema`. */
  accept(row: Record<string, unknown>): Row | null;
};

export const tripletKind: RowKind<Triplet> = {
  noun: "triplet",
  keys: ["prompt", "chosen", "rejected"],
  schema: tripletSchema,
  accept({ prompt, chosen, rejected }) {
    const good = isPlain(prompt) && isPlain(chosen) && isPlain(rejected) && chosen !== rejected;
    return good ? { prompt, chosen, rejected } : null;
  },
};

/** One row of a file to judge by: {@link tripletKind} with its `kind`. */
export const testTripletKind: RowKind<TestTriplet> = {
  noun: "triplet",
  keys: tripletKind.keys,
  optionalKeys: ["kind"],
  schema: z.object({ ...fields, kind: kindSchema }, "must be an object")
    .refine(answersDiffer, sameAnswers),
  accept(row) {
    const triplet = tripletKind.accept(row), kind = kindSchema.parse(row.kind);
    return triplet && (kind === undefined ? triplet : { ...triplet, kind });
  },
};

/** One row of an SFT file, whose answer stands under `key`. */
export function exampleKind(key: string): RowKind<Example> {
  return {
    noun: "example",
    keys: [...new Set(["prompt", key])], // generate reads prompts alone
    schema: z.object({ prompt: field, [key]: field }, "must be an object")
      .transform((row) => ({ prompt: row.prompt, completion: row[key] }) as Example),
    accept({ prompt, [key]: completion }) {
      return isPlain(prompt) && isPlain(completion) ? { prompt, completion } : null;
    },
  };
}

const isPlain = (value: unknown): value is string => typeof value === "string" && isText(value);

function sameText(a: string | Message[], b: string | Message[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The row that a parsed line holds, or a sentence about the first thing wrong with it. */
export function checkRow<Row>(
  value: unknown,
  kind: RowKind<Row>,
): { row: Row } | { problem: string; field?: string } {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const row = kind.accept(value as Record<string, unknown>);
    if (row !== null) return { row };
  }
  const { success, data, error } = kind.schema.safeParse(value);
  if (success) return { row: data };
  return explain(error.issues[0], value);
}

function explain(issue: z.core.$ZodIssue, value: unknown): { problem: string; field?: string } {
  let { message, path } = issue;
  if (issue.code === "invalid_union") {
    const [asText, asMessages] = issue.errors;
    const [inner] = Array.isArray(valueAt(value, path)) ? asMessages : asText;
    message = inner.message;
    path = [...path, ...inner.path];
  }
  const found = issue.code === "custom" && issue.params?.found || describe(valueAt(value, path));
  if (path.length === 0) return { problem: `a line ${message}, found ${found}` };
  const field = path.map((key, i) =>
    typeof key === "number" ? `[${key}]` : i ? `.${String(key)}` : key
  )
    .join("");
  return { problem: `"${field}" ${message}, found ${found}`, field };
}

const valueAt = (value: unknown, path: PropertyKey[]) =>
  path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], value);

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "an object";
  if (typeof value !== "string") return `the ${typeof value} ${value}`;
  if (value === "") return "an empty string";
  if (!value.isWellFormed()) return "half of a surrogate pair";
  return value.trim() === "" ? "only white space" : "a string";
}

/** Keys that a row has beside its own, those of its messages as `chosen[].name`. */
export function unknownKeys(row: Record<string, unknown>, known: readonly string[]): string[] {
  const unknown: string[] = [];
  for (const key in row) {
    if (!known.includes(key)) unknown.push(key);
    else if (Array.isArray(row[key])) unknown.push(...messageKeys(key, row[key]));
  }
  return unknown;
}

function messageKeys(field: string, messages: unknown[]): string[] {
  const keys = messages.flatMap((message) => Object.keys(message ?? {}));
  return keys.filter((key) => key !== "role" && key !== "content").map((key) =>
    `${field}[].${key}`
  );
}
