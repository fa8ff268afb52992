/** Each command's script, and what it is for in a few words. */
export const commands: Record<string, { script: string; summary: string }> = {
  demo: { script: "demo", summary: "train the embedded model, compare what both write" },
  fetch: { script: "fetch_model", summary: "download a model from the hub" },
  triplets: { script: "make_triplets", summary: "make pairs from a table of notes" },
  lint: { script: "lint_triplets", summary: "look for what is wrong with pairs" },
  sft: { script: "train_sft", summary: "train Stage A" },
  train: { script: "train_dpo", summary: "train by DPO" },
  score: { script: "score", summary: "log-probabilities of answers" },
  generate: { script: "generate", summary: "let a model write" },
  evaluate: { script: "evaluate", summary: "Stage A against DPO on held-out pairs" },
  hallucination: { script: "measure_hallucination", summary: "count unsupported details of texts" },
  readiness: { script: "readiness", summary: "a verdict on a run, with reasons" },
  report: { script: "report", summary: "a page about a run, or about two" },
  merge: { script: "merge_lora", summary: "an adapter and its base as one folder" },
  quantize: { script: "quantize", summary: "write a GGUF file" },
  doctor: { script: "doctor", summary: "what computes here, and what would be faster" },
};

/** How a script is typed as a command of `scripts/dpo.ts`, as it is installed. */
export function installedAs(script: string): string {
  const [name = script] = Object.entries(commands).find(([, one]) => one.script === script) ?? [];
  return `dpo-kit ${name}`;
}
