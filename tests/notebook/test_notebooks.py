"""Each notebook from a fresh kernel, and behind its last cell the solutions of its exercises.

Run by `deno task notebooks --test`, with the Python that it sets up. A cell that is marked to fail must
fail, and no other may.
"""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
MINUTES = 15  # a cell's


@pytest.mark.parametrize("path", sorted(FOLDER.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_runs_and_fails_where_it_says_so(path):
    notebook = nbformat.read(path, as_version=4)
    solutions = re.findall(r"```typescript\n(.*?)```", notebook.cells[-1].source, re.DOTALL)
    assert len(solutions) == 3
    notebook.cells += [nbformat.v4.new_code_cell(solution) for solution in solutions]
    failed = {}

    def keep(cell, cell_index, execute_reply):
        failed[cell_index] = execute_reply["content"]["status"] == "error"

    client = NotebookClient(
        notebook,
        timeout=60 * MINUTES,
        kernel_name="deno",
        resources={"metadata": {"path": str(FOLDER)}},
        on_cell_executed=keep,
    )
    client.execute()  # ends at a failure of any other cell, and shows it
    marked = {i: "raises-exception" in notebook.cells[i].metadata.get("tags", []) for i in failed}
    assert failed == marked
