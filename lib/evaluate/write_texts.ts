import { measureHallucination, type UnsupportedDetail } from "../meter/measure_hallucination.ts";
import { encodePrompt } from "../tokenizer/encode_pair.ts";
import type { Models } from "../train/build_models.ts";
import type { Message, Triplet } from "../types.ts";
import { generate, type GenerateOptions } from "./generate.ts";
import type { JudgedText } from "./judge_generation.ts";
import { surprise } from "./perplexity.ts";
import { repetition } from "./repetition.ts";

/** A prompt, and the chosen answer to it. */
export type Task = { prompt: string | Message[]; reference: string };

/** A text with what was measured of it, but whether it is gibberish: that is known from all of them. */
export type WrittenText = Omit<JudgedText, "unsupported" | "isGibberish"> & {
  text: string;
  unsupported: UnsupportedDetail[];
  /** Nats a token under Stage A. */
  surprise: number;
};

/** Lets a model write for each prompt, and measures what it wrote; the surprise is Stage A's. */
export async function writeTexts(
  models: Models,
  tasks: readonly Task[],
  { stageA = models, ...options }: GenerateOptions & { stageA?: Models },
): Promise<WrittenText[]> {
  const { tokenizer } = models;
  const written = await generate(models, tasks.map(({ prompt }) => prompt), options);
  const encoded = written.map(({ text, stopped }, index) => {
    const ids = text === "" ? [] : tokenizer.encode(text, { special: false });
    const completion = stopped || ids.length === 0 ? [...ids, tokenizer.eosId] : ids;
    return { index, prompt: encodePrompt(tokenizer, tasks[index].prompt), completion };
  });
  const surprises = await surprise(stageA, encoded, options);
  return written.map(({ text, tokens, stopped }, i) => {
    const { prompt, reference } = tasks[i];
    const { details, unsupported, recall } = measureHallucination(text, textOf(prompt), {
      reference,
    });
    const measured = { details, unsupported, recall, tokens, stopped };
    return { text, ...measured, repetition: repetition(text), surprise: surprises[i] };
  });
}

/** What a prompt says, in all its turns. */
export function textOf(text: string | Message[]): string {
  return typeof text === "string" ? text : text.map(({ content }) => content).join("\n");
}

/** Each prompt once, with the first chosen answer to it. */
export function differentPrompts(triplets: readonly Triplet[]): Task[] {
  const byPrompt = Map.groupBy(triplets, ({ prompt }) => JSON.stringify(prompt));
  return Array.from(byPrompt.values(), ([{ prompt, chosen }]) => ({
    ...{ prompt, reference: textOf(chosen) },
  }));
}
