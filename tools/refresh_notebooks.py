"""Execute the notebooks in place, each on the store that a reader has by then."""

import sys

import nbformat
from nbclient import NotebookClient

import conftest  # noqa: F401  the environment in which pytest runs them
from helpers.config import ROOT
from tests.support import stores


def refresh(name: str) -> None:
    """Execute one notebook in its own folder and keep those outputs that are the same next time."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    with stores.in_use(stores.for_notebook(name)):
        client = NotebookClient(notebook, resources={"metadata": {"path": path.parent}}, record_timing=False)
        client.execute()
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            # Not compared, so not kept: progress bars, run ids.
            cell.outputs = []
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")):
        print(chosen, flush=True)
        refresh(chosen)
