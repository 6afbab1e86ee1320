"""Execute the notebooks in place, each on the store that a reader would have at that point.

    python -m tools.refresh_notebooks                # all
    python -m tools.refresh_notebooks 04_registry    # one

Notebooks 04 to 06 need trained models: all four algorithms are trained first, in a temporary store.
"""

import argparse

import nbformat
from nbclient import NotebookClient

import conftest  # noqa: F401  the environment in which pytest runs them
from helpers.config import ROOT
from tests.support import stores


def refresh(name: str) -> None:
    """Execute one notebook in its own folder and keep the outputs that are reproducible."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    with stores.in_use(stores.for_notebook(name)):
        client = NotebookClient(notebook, resources={"metadata": {"path": path.parent}}, record_timing=False)
        client.execute()
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            # Not compared, so not stored: progress bars, run ids.
            cell.outputs = []
    nbformat.write(notebook, path)


if __name__ == "__main__":
    names = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help="e.g. 04_registry; default: all")
    chosen = parser.parse_args().names or names
    if unknown := set(chosen) - set(names):
        parser.error(f"no notebook {', '.join(sorted(unknown))}: choose from {', '.join(names)}")
    for name in chosen:
        print(name, flush=True)
        refresh(name)
