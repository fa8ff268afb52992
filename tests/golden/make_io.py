"""Makes tests/golden/io/: small files that PyTorch, PEFT's way of saving, safetensors, gguf and
transformers wrote, and io.json with the numbers that those packages read out of them.

    python tests/golden/make_io.py        (torch, safetensors, gguf, numpy, transformers)

The values are drawn here from fixed seeds; nothing in the files is third-party data.
"""
import base64
import importlib.metadata
import json
import pathlib
import platform

import gguf
import numpy as np
import safetensors
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
import transformers

HERE = pathlib.Path(__file__).parent / "io"
HERE.mkdir(exist_ok=True)
random = np.random.default_rng(7)


def numbers(array):
    """A float32 array as base64 of its bytes, with its shape."""
    array = np.asarray(array, dtype=np.float32, order="C")
    return {"shape": list(array.shape), "base64": base64.b64encode(array.tobytes()).decode()}


def special(dtype):
    """Every kind of number a half can be: zeros, subnormals, extremes, infinities."""
    info = torch.finfo(dtype)
    values = [0.0, -0.0, 1.0, -1.5, 0.1, info.max, info.min, info.tiny, info.tiny / 4, -info.tiny / 8]
    return torch.tensor(values + [float("inf"), float("-inf")], dtype=dtype)


def make_safetensors():
    tensors = {
        "f32": torch.tensor(random.standard_normal((2, 3)), dtype=torch.float32),
        "f16": special(torch.float16),
        "bf16": special(torch.bfloat16).reshape(3, 4),
        "ids": torch.tensor([1, 2, 3]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 4),
    }
    save_file(tensors, HERE / "mixed.safetensors", metadata={"format": "pt"})
    return {name: numbers(t.float().numpy()) for name, t in tensors.items() if name != "ids"}


def make_torch_bin():
    base = torch.tensor(random.standard_normal((4, 3)), dtype=torch.float32)
    tensors = {
        "base_model.model.a.lora_A.weight": base,
        "transposed": base.t(),
        "slice": base[1:3, ::2],
        "half": special(torch.float16),
        "brain": special(torch.bfloat16),
        "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
        "scalar": torch.tensor(3.0),
        "empty": torch.zeros(2, 0),
    }
    torch.save(tensors, HERE / "dict.bin")
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    torch.save(module.state_dict(), HERE / "state_dict.bin")
    torch.save(base, HERE / "not_a_dict.bin")
    torch.save({"ids": torch.tensor([1, 2])}, HERE / "int64.bin")
    torch.save({"epoch": 3, "model": {"a": base}}, HERE / "nested.bin")
    read = lambda name: torch.load(HERE / name, weights_only=True)
    as_numbers = lambda d: {n: numbers(t.detach().float().numpy()) for n, t in d.items()}
    return {"dict": as_numbers(read("dict.bin")), "state_dict": as_numbers(read("state_dict.bin"))}


def random_blocks(kind, rows, columns):
    """Random bytes in which every scale and minimum is a finite half."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (rows, columns // elements, size), dtype=np.uint8)
    for at in (0, 2) if kind in (Type.Q4_1, Type.Q5_1) else (0,):
        halves = random.standard_normal((rows, columns // elements, 1)).astype(np.float16)
        halves[0, 0] = np.float16(6e-8)  # a subnormal
        blocks[..., at : at + 2] = halves.view(np.uint8)
    return blocks.reshape(rows, -1)


def make_gguf_types():
    writer = gguf.GGUFWriter(HERE / "types.gguf", "llama")
    writer.add_string("text", "héllo 🩺")
    writer.add_uint8("u8", 255)
    writer.add_int8("i8", -128)
    writer.add_uint16("u16", 65535)
    writer.add_int16("i16", -32768)
    writer.add_uint32("u32", 2**32 - 1)
    writer.add_int32("i32", -(2**31))
    writer.add_uint64("u64", 2**63)
    writer.add_int64("i64", -(2**40))
    writer.add_float32("f32", 0.1)
    writer.add_float64("f64", 0.1)
    writer.add_bool("bool", True)
    writer.add_array("texts", ["a", "", "c"])
    writer.add_array("numbers", [1, -2, 3])
    expected = {}
    plain = random.standard_normal((3, 32)).astype(np.float32)
    writer.add_tensor("F32", plain)
    writer.add_tensor("F16", plain.astype(np.float16))
    bf16 = gguf.quants.quantize(plain, Type.BF16)
    writer.add_tensor("BF16", bf16, raw_dtype=Type.BF16)
    expected["F32"], expected["F16"] = plain, plain.astype(np.float16).astype(np.float32)
    expected["BF16"] = gguf.quants.dequantize(bf16, Type.BF16)
    for kind in (Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0):
        blocks = random_blocks(kind, 2, 64)
        writer.add_tensor(kind.name, blocks, raw_dtype=kind)
        expected[kind.name] = gguf.quants.dequantize(blocks, kind)
    finish(writer)
    return {name: numbers(values) for name, values in expected.items()}


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_unreadable_gguf():
    writer = gguf.GGUFWriter(HERE / "iq4_xs.gguf", "llama")
    writer.add_tensor("blk.0.attn_q.weight", np.zeros((1, 136), np.uint8), raw_dtype=Type.IQ4_XS)
    finish(writer)
    writer = gguf.GGUFWriter(HERE / "mamba.gguf", "mamba")
    writer.add_tensor("token_embd.weight", np.zeros((2, 2), np.float32))
    finish(writer)


def permute(weights, heads):
    """LlamaModel.permute of llama.cpp's convert_hf_to_gguf.py."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def make_llama_gguf():
    """A tiny Llama with grouped heads, biases and a free head, converted as llama.cpp does."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=6, hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=4, rms_norm_eps=1e-5, max_position_embeddings=64,
        tie_word_embeddings=False, attention_bias=True, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    config.rope_parameters["rope_theta"] = 5000.0
    state = LlamaForCausalLM(config).state_dict()
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    writer = gguf.GGUFWriter(HERE / "llama.gguf", "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(["<unk>", "<s>", "</s>", "a", "b", "c"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    for name, tensor in state.items():
        values = (torch.randn(tensor.shape) if name.endswith("bias") else tensor).numpy()
        state[name] = values
        for part, heads in (("q_proj", config.num_attention_heads), ("k_proj", config.num_key_value_heads)):
            if part in name:
                values = permute(values, heads)
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), np.ascontiguousarray(values))
    finish(writer)
    return {name: numbers(values) for name, values in state.items()}


versions = {module.__name__: module.__version__ for module in (torch, safetensors, np, transformers)}
result = {
    "provenance": {
        "made_by": "tests/golden/make_io.py",
        **versions,
        "gguf": importlib.metadata.version("gguf"),
        "python": platform.python_version(),
        "tolerance": "bit-equal",
    },
    "safetensors": make_safetensors(),
    "torch": make_torch_bin(),
    "gguf": make_gguf_types(),
    "llama": make_llama_gguf(),
}
make_unreadable_gguf()
(HERE / "io.json").write_text(json.dumps(result, indent=1) + "\n")
print(sum(file.stat().st_size for file in HERE.iterdir()), "bytes in", HERE.name)
