import fc from "fast-check";
import { UsageError } from "../../lib/errors.ts";
import { type Flags, type FlagValues, readFlags } from "../../scripts/cli/flags.ts";
import { assert, assertEquals } from "../../lib/std.ts";
import { thrownBy } from "../thrown_by.ts";

const flags = {
  train_file: { type: "string", help: "Triplets to learn from", required: true },
  output: { type: "string", help: "Where to write" },
  beta: { type: "number", help: "Hold on the reference", default: 0.1, min: 0, max: 10 },
  share: { type: "number", help: "Of the whole", above: 0, below: 1 },
  batch_size: { type: "integer", help: "Pairs a step", default: 4, min: 1 },
  loss_type: { type: "list", choices: ["sigmoid", "sft"], help: "Losses", default: ["sigmoid"] },
  loss_weights: { type: "numbers", help: "Their weights" },
  target_modules: { type: "list", help: "Layers", default: ["q_proj"] },
  lr_scheduler: { type: "choice", choices: ["linear", "cosine"], help: "Shape", default: "linear" },
  resume: { type: "string", help: "Goes on", bare: "auto" },
  dry_run: { type: "boolean", help: "Only say what would be done" },
} as const satisfies Flags;

const read = (...args: string[]) => readFlags(["--train_file", "a.jsonl", ...args], flags);
const refusal = (...args: string[]) => {
  const error = thrownBy(() => read(...args));
  assert(error instanceof UsageError, `${error}`);
  return error.message;
};

Deno.test("readFlags() gives defaults, undefined and false for what was not typed", () => {
  assertEquals({ ...read() }, {
    train_file: "a.jsonl",
    output: undefined,
    beta: 0.1,
    share: undefined,
    batch_size: 4,
    loss_type: ["sigmoid"],
    loss_weights: undefined,
    target_modules: ["q_proj"],
    lr_scheduler: "linear",
    resume: undefined,
    dry_run: false,
  });
});

Deno.test("readFlags() reads each type, as --name value and as --name=value", () => {
  const wanted: FlagValues<typeof flags> = {
    train_file: "b c.jsonl",
    output: "-x",
    beta: 5e-3,
    share: 0.5,
    batch_size: 16,
    loss_type: ["sigmoid", "sft"],
    loss_weights: [1, -0.5],
    target_modules: ["q_proj", "v_proj"],
    lr_scheduler: "cosine",
    resume: "models/a",
    dry_run: true,
  };
  const typed = ["--train_file", "b c.jsonl", "--output", "-x", "--beta", "5e-3", "--share", ".5"]
    .concat(
      "--batch_size",
      "16",
      "--loss_type",
      "sigmoid,sft",
      "--loss_weights",
      "1, -.5",
      "--target_modules",
    )
    .concat("q_proj,v_proj", "--lr_scheduler", "cosine", "--resume", "models/a", "--dry_run");
  assertEquals({ ...read(...typed) }, wanted);
  const joined = typed.join("\n").replaceAll(/\n(?!--)/g, "=").split("\n");
  assertEquals({ ...read(...joined) }, wanted);
});

Deno.test("readFlags() gives a flag that may stand alone its own value", () => {
  assertEquals(read("--resume").resume, "auto");
  assertEquals(read("--resume", "--dry_run").resume, "auto");
  assertEquals(refusal("--output"), "--output needs a value: text");
});

Deno.test("readFlags() returns any text unchanged", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
    assertEquals(read(`--output=${text}`).output, text);
    if (!text.startsWith("--")) assertEquals(read("--output", text).output, text);
  }));
});

Deno.test("readFlags() names the nearest flag for one it does not know", () => {
  assertEquals(refusal("--bta", "1"), "Unknown flag --bta; did you mean --beta?");
  assertEquals(refusal("--batch-size=2"), "Unknown flag --batch-size; did you mean --batch_size?");
  assertEquals(
    refusal("--lr_schedule", "x"),
    "Unknown flag --lr_schedule; did you mean --lr_scheduler?",
  );
  assertEquals(refusal("-h"), "Unknown flag -h; did you mean --help?");
  assertEquals(
    refusal("--zzzzzzzzz"),
    "Unknown flag --zzzzzzzzz; --help lists the flags there are",
  );
  assertEquals(
    refusal("--constructor"),
    "Unknown flag --constructor; --help lists the flags there are",
  );
});

Deno.test("readFlags() says what a value must be and what it found", () => {
  const cases: [string, string][] = [
    ["--beta=abc", '--beta must be a number from 0 to 10, found "abc"'],
    ["--beta=-1", '--beta must be a number from 0 to 10, found "-1"'],
    ["--beta=0x1", '--beta must be a number from 0 to 10, found "0x1"'],
    ["--beta=NaN", '--beta must be a number from 0 to 10, found "NaN"'],
    ["--beta=1e999", '--beta must be a number from 0 to 10, found "1e999"'],
    ["--batch_size=1.5", '--batch_size must be a whole number of at least 1, found "1.5"'],
    ["--share=0", '--share must be a number above 0 and below 1, found "0"'],
    ["--share=1", '--share must be a number above 0 and below 1, found "1"'],
    ["--batch_size=0", '--batch_size must be a whole number of at least 1, found "0"'],
    ["--loss_weights=1,", '--loss_weights must be numbers separated by commas, found "1,"'],
    [
      "--loss_type=sigmoid,kto",
      '--loss_type must be one or more of sigmoid, sft, separated by commas, found "sigmoid,kto"',
    ],
    [
      "--loss_type=sft,sigmiod",
      "--loss_type must be one or more of sigmoid, sft, separated by commas, found " +
      '"sft,sigmiod"; did you mean "sigmoid"?',
    ],
    ["--target_modules=a,,b", '--target_modules must be words separated by commas, found "a,,b"'],
    ["--lr_scheduler=step", '--lr_scheduler must be one of linear, cosine, found "step"'],
    ["--dry_run=maybe", '--dry_run must be true or false, found "maybe"'],
  ];
  for (const [arg, message] of cases) assertEquals(refusal(arg), message);
});

Deno.test("readFlags() refuses a flag without its value, and a word without its flag", () => {
  const needed = "--beta needs a value: a number from 0 to 10";
  for (const args of [["--beta"], ["--beta="], ["--beta", "--dry_run"], ["--beta", ""]]) {
    assertEquals(refusal(...args), needed);
  }
  assertEquals(
    refusal("pairs.jsonl"),
    'Cannot place "pairs.jsonl": a value follows its flag, as in --name value',
  );
  assertEquals(
    thrownBy(() => readFlags([], flags)).message,
    "--train_file is missing: Triplets to learn from",
  );
});
