"""The other side of bench/rates.ts: transformers' generate and Python's tokenizers, one line of JSON.

    python bench/rates_baseline.py MODEL_FOLDER INPUT.json    (transformers 5.x, torch, tokenizers)

INPUT.json holds {prompts: [ids, ...], texts: [...], newTokens}. Greedy, float32, all prompts in one
batch, no stop before newTokens; texts are tokenised one by one on one thread.
"""

import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
import torch
import transformers

folder, path = sys.argv[1:]
with open(path) as file:
    given = json.load(file)

tokenizer = tokenizers.Tokenizer.from_file(f"{folder}/tokenizer.json")
begun = time.perf_counter()
count = sum(len(tokenizer.encode(text).ids) for text in given["texts"])
tokenise = time.perf_counter() - begun

model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
longest = max(map(len, given["prompts"]))
ids = torch.tensor([[0] * (longest - len(p)) + p for p in given["prompts"]])
mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in given["prompts"]])
new = given["newTokens"]
options = {"do_sample": False, "max_new_tokens": new, "min_new_tokens": new, "pad_token_id": 0}
with torch.no_grad():
    model.generate(input_ids=ids, attention_mask=mask, **{**options, "max_new_tokens": 2, "min_new_tokens": 2})
    begun = time.perf_counter()
    written = model.generate(input_ids=ids, attention_mask=mask, **options)
    generate = time.perf_counter() - begun

print(json.dumps({
    "generateSeconds": generate,
    "written": written[:, longest:].tolist(),
    "tokeniseSeconds": tokenise,
    "tokens": count,
    "versions": f"transformers {transformers.__version__}, torch {torch.__version__}, tokenizers {tokenizers.__version__}",
}))
