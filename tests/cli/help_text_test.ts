import { helpText } from "../../scripts/cli/help_text.ts";
import { assert, assertEquals } from "../../lib/std.ts";

Deno.test("helpText() shows flags with defaults and examples as they are typed", () => {
  const text = helpText({
    name: "score",
    summary: "writes the log-probabilities of pairs",
    examples: ["--file pairs.jsonl", ""],
    flags: {
      file: { type: "string", value: "FILE", help: "Triplets", required: true },
      beta: { type: "number", help: "Hold on the reference", default: 0.1 },
      loss_type: { type: "list", choices: ["a", "b"], help: "Losses", default: ["a"] },
      divergence: {
        type: "choice",
        choices: ["kl", "js"],
        help: "What is measured",
        lines: ["kl  one way", "js  both ways"],
      },
      json: { type: "boolean", help: "Prints JSON" },
    },
  });
  assertEquals(
    text,
    `score: writes the log-probabilities of pairs

Usage:
  deno run -q -P=score scripts/score.ts [flags]

Flags:
  --file FILE                 Triplets (required)
  --beta NUMBER               Hold on the reference (default: 0.1)
  --loss_type NAME,...        Losses: a, b (default: a)
  --divergence NAME           What is measured
      kl  one way
      js  both ways
  --json                      Prints JSON
  --help                      Shows this text
  --debug                     Shows where in the code an unexpected error arose

Examples:
  deno run -q -P=score scripts/score.ts --file pairs.jsonl
  deno run -q -P=score scripts/score.ts`,
  );
});

Deno.test("helpText() stays within 80 columns", () => {
  const words = "several words that go on ".repeat(9).trim();
  const text = helpText({
    name: "measure_hallucination",
    summary: words,
    examples: ["--reference_file somewhere/far/away.jsonl --output there.jsonl --min_length 100"],
    flags: {
      gradient_accumulation_steps: { type: "integer", help: words, default: 1 },
      x: { type: "string", help: "short", default: "./models/dpo_hallucination_resistant/final" },
    },
  });
  assert(text.split("\n").every((line) => line.length <= 80), text);
  assert(text.includes("gradient_accumulation_steps INTEGER\n"), text);
  // A broken example is still one command for a shell.
  const example = text.split("Example:\n")[1].replaceAll(/ \\\n\s+/g, " ").trim();
  assert(
    example.startsWith("deno run -q -P=measure_hallucination scripts/measure_hallucination.ts --"),
  );
  assert(example.endsWith("--output there.jsonl --min_length 100"), example);
});
