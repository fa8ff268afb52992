import { fileURLToPath } from "node:url";
import { loadTokenizer } from "../../lib/tokenizer/load_tokenizer.ts";
import { createTokenizer } from "../../lib/tokenizer/tokenizer.ts";

const golden = fileURLToPath(new URL("../golden/tokenizers/", import.meta.url));

/** Kinds of tokenizers with ids that Hugging Face's Rust gives, see make_tokenizers.py. */
export const kinds = ["byte_level", "llama3", "byte_fallback"] as const;
export type Kind = typeof kinds[number];

export const loadKind = (kind: Kind) => loadTokenizer(`${golden}${kind}`);

export const readGolden = async (name: string) =>
  JSON.parse(await Deno.readTextFile(`${golden}${name}.json`));

/** A kind with its tokenizer_config.json changed. */
export async function buildKind(kind: Kind, config: Record<string, unknown>) {
  const tokenizer = await readGolden(`${kind}/tokenizer`);
  const own = await readGolden(`${kind}/tokenizer_config`);
  return createTokenizer({ tokenizer, config: { ...own, ...config } }, "tokenizer.json");
}

/** Turns marked by their role, each closed by EOS and a newline: the shape of SmolLM2's template. */
export const CHATML =
  "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + " +
  "'<|im_end|>' + '\\n'}}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
