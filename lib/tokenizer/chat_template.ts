import { Template } from "@huggingface/jinja";
import { UserError } from "../errors.ts";
import type { Message } from "../types.ts";
import type { TokenizerConfig } from "./tokenizer_schema.ts";

/** The template that stands for plain chat: a string, or the one named "default" of several. */
export function pickChatTemplate(template: TokenizerConfig["chat_template"]): string | null {
  if (typeof template === "string") return template;
  return (template?.find((t) => t.name === "default") ?? template?.[0])?.template ?? null;
}

export type ChatOptions = {
  addGenerationPrompt: boolean;
  /** Special tokens by the names that templates use: `bos_token`, `eos_token`, ... */
  tokens: Record<string, string>;
};

/**
 * Makes the function that writes messages as one text, as a Jinja chat template lays them out.
 * The template is parsed once.
 */
export function createChatRenderer(template: string, path: string) {
  const parsed = attempt(() => new Template(template), path);
  return (messages: Message[], { addGenerationPrompt, tokens }: ChatOptions): string =>
    attempt(
      () => parsed.render({ ...tokens, messages, add_generation_prompt: addGenerationPrompt }),
      path,
    );
}

function attempt<T>(run: () => T, path: string): T {
  try {
    return run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`Cannot apply the chat template of "${path}": ${reason}`, { path, cause });
  }
}
