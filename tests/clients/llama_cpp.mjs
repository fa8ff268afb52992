/**
 * llama.cpp's side of test_llama_cpp.py: reads GGUF files as any user of it would.
 *
 *     node llama_cpp.mjs FOLDER < {"models": [...], "prompts": [...], "texts": [...], "maxTokens": 32}
 *
 * FOLDER holds node_modules with node-llama-cpp. Prints for each model the token ids of the texts and
 * what it continues the prompts with, greedily.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const main = createRequire(`${folder}/package.json`).resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(main));
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { models, prompts, texts, maxTokens } = JSON.parse(Buffer.concat(chunks).toString());

const options = { build: "never", gpu: false, maxThreads: 1, progressLogs: false };
const llama = await getLlama({ ...options, logLevel: "error" });
const results = {};
for (const modelPath of models) {
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const context = await model.createContext({ contextSize: 512, sequences: 1, threads: 1 });
  const sequence = context.getSequence();
  const written = [];
  for (const prompt of prompts) {
    await sequence.clearHistory();
    const ids = model.tokenize(prompt, true);
    const bos = model.tokens.bos;
    const start = model.tokens.shouldPrependBosToken && bos !== null ? [bos, ...ids] : ids;
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
    template: model.fileInfo.metadata.tokenizer?.chat_template ?? null,
    bos: model.tokens.shouldPrependBosToken ? model.tokens.bos : null,
    eos: model.tokens.eos,
  };
  await context.dispose();
  await model.dispose();
}
process.stdout.write(JSON.stringify(results) + "\n", () => process.exit(0));
