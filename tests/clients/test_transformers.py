"""transformers reads the embedded checkpoint and its tokenizer as we do."""

import torch
from conftest import as_table, log_probs
from transformers import AutoModelForCausalLM, AutoTokenizer


def test_embedded_checkpoint_gives_our_logits(dump, model_path):
    shared = dump["shared"]
    model, loading = AutoModelForCausalLM.from_pretrained(
        model_path, dtype=torch.float32, output_loading_info=True
    )
    assert not loading["missing_keys"] and not loading["unexpected_keys"], loading
    ours = as_table(shared["logProbs"], shared["ids"])
    assert ours.std() > 1, "a flat distribution would agree with anything"
    torch.testing.assert_close(log_probs(model, shared["ids"]), ours, atol=1e-4, rtol=0)


def test_tokenizer_gives_our_ids(dump, model_path, out):
    for folder in (model_path, out / "qv" / "final_model"):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        for row in dump["shared"]["tokens"]:
            assert tokenizer(row["text"]).input_ids == row["ids"], row["text"]
        assert tokenizer.eos_token_id == dump["shared"]["pairs"][0]["chosen"][-1]
