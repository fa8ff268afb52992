/**
 * llama.cpp's side of test_llama_cpp.py and test_gguf_families.py: reads GGUF files as any user of it
 * would.
 *
 *     node llama_cpp.mjs FOLDER < {"models": [...], "prompts": [...], "texts": [...], "maxTokens": 32}
 *
 * FOLDER holds node_modules with node-llama-cpp. Prints for each model the token ids of the texts, what
 * it continues the prompts with, greedily, and the next token's probabilities, as many prompts as
 * "probabilities" says.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const main = createRequire(`${folder}/package.json`).resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(main));
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { models, prompts, texts, maxTokens, probabilities: asked = 0 } = JSON.parse(
  Buffer.concat(chunks).toString(),
);

const options = { build: "never", gpu: false, maxThreads: 1, progressLogs: false };
const llama = await getLlama({ ...options, logLevel: "error" });
const results = {};
for (const modelPath of models) {
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 512, sequences: 1, threads: 1 });
  const sequence = context.getSequence();
  const written = [], probabilities = [];
  for (const prompt of prompts) {
    const ids = model.tokenize(prompt, true);
    const bos = model.tokens.bos;
    const start = model.tokens.shouldPrependBosToken && bos !== null ? [bos, ...ids] : ids;
    if (probabilities.length < asked) {
      await sequence.clearHistory();
      const plain = { temperature: 1, topK: 0, topP: 1, minP: 0 };
      const next = sequence.evaluateWithMetadata(start, { probabilities: true }, plain);
      const { value } = await next.next();
      await next.return();
      const row = [];
      for (const [token, probability] of value.probabilities) row[token] = probability;
      probabilities.push(row);
    }
    await sequence.clearHistory();
    const tokens = [];
    for await (const token of sequence.evaluate(start, { temperature: 0 })) {
      if (model.isEogToken(token)) break;
      tokens.push(token);
      if (tokens.length === maxTokens) break;
    }
    written.push(tokens);
  }
  results[modelPath] = {
    ids: texts.map((text) => [...model.tokenize(text, true)]),
    written,
    probabilities,
    template: model.fileInfo.metadata.tokenizer?.chat_template ?? null,
    bos: model.tokens.shouldPrependBosToken ? model.tokens.bos : null,
    eos: model.tokens.eos,
  };
  await context.dispose();
  await model.dispose();
}
process.stdout.write(JSON.stringify(results) + "\n", () => process.exit(0));
