"""Makes tests/golden/io/k_types.gguf, random blocks of the K formats, and gguf.json: what the Python
package gguf reads out of them, and the bytes that it quantises drawn numbers to.

    python tests/golden/make_gguf.py        (gguf, numpy)

The values are drawn here from fixed seeds; nothing in the files is third-party data.
"""
import base64
import importlib.metadata
import json
import pathlib
import platform

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

HERE = pathlib.Path(__file__).parent / "io"
random = np.random.default_rng(11)

# Where the halves (the scale of all, of the minima) stand in a block.
HALVES = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,)}
WRITTEN = (Type.F16, Type.BF16, Type.Q8_0, Type.Q4_0, Type.Q5_0)


def base64_of(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def random_blocks(kind, rows):
    """Random bytes in which every half is finite; one is a subnormal, one negative."""
    blocks = random.integers(0, 256, (rows, gguf.GGML_QUANT_SIZES[kind][1]), dtype=np.uint8)
    for at in HALVES[kind]:
        halves = random.standard_normal((rows, 1)).astype(np.float16)
        halves[0, 0], halves[1, 0] = np.float16(6e-8), -abs(halves[1, 0])
        blocks[:, at : at + 2] = halves.view(np.uint8)
    return blocks


def make_k_types():
    writer = gguf.GGUFWriter(HERE / "k_types.gguf", "llama")
    expected = {}
    for kind in HALVES:
        blocks = random_blocks(kind, 4)
        writer.add_tensor(kind.name, blocks, raw_dtype=kind)
        values = gguf.quants.dequantize(blocks, kind)
        expected[kind.name] = {"shape": list(values.shape), "base64": base64_of(values)}
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected


def numbers_to_write():
    """Rows of 64: drawn numbers, and what is easily got wrong."""
    rows = [random.standard_normal(64) * scale for scale in (1, 0.02, 1e-6, 1e3)]
    rows.append(np.zeros(64))
    rows.append(np.where(np.arange(64) % 3, 0, -0.0))
    rows.append(np.repeat([0.5, -0.5], 32))  # equal magnitudes
    rows.append(np.arange(64) - 32)  # ties when rounded
    rows.append(np.arange(64) / 127 * 0.5)
    rows.append(np.full(64, 1e-9))  # a scale below the halves
    rows.append(np.where(np.arange(64) % 2, 65504, 1))
    return np.array(rows, dtype=np.float32)


values = numbers_to_write()
result = {
    "provenance": {
        "made_by": "tests/golden/make_gguf.py",
        "gguf": importlib.metadata.version("gguf"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "tolerance": "bit-equal",
    },
    "read": make_k_types(),
    "values": {"shape": list(values.shape), "base64": base64_of(values)},
    "written": {kind.name: base64_of(gguf.quants.quantize(values, kind)) for kind in WRITTEN},
}
(HERE / "gguf.json").write_text(json.dumps(result, indent=1) + "\n")
