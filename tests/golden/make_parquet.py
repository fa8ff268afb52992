"""Writes tests/golden/parquet/: the same triplets in each codec that pyarrow 26.0.1 writes.

Run in a folder with pyarrow: python tests/golden/make_parquet.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "parquet"
ROWS = [
    {
        "prompt": f"Note {i}: fever?",
        "chosen": [{"role": "assistant", "content": f"Température {i}."}],
        "rejected": [{"role": "assistant", "content": "No."}],
        "score": i / 2,
        "id": 2**60 + i,
    }
    for i in range(3)
]

FOLDER.mkdir(exist_ok=True)
for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    pq.write_table(
        pa.Table.from_pylist(ROWS), FOLDER / f"{codec}.parquet", compression=codec, row_group_size=2
    )
