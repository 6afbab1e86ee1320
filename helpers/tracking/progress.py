"""Progress bars: a widget in JupyterLab, plain text everywhere else."""

import os
import sys

from tqdm import tqdm


def progress(total: int, title: str) -> tqdm:
    """Return a progress bar, to be updated and closed by the caller.

    Papermill and nbval run a notebook without a page to put a widget on, so there it is plain text on
    standard error, at most once in two seconds.
    """
    # Jupyter Server sets this for the kernels of notebooks that a person has open.
    if "JPY_SESSION_NAME" in os.environ:
        from tqdm.notebook import tqdm as widget

        return widget(total=total, desc=title)
    return tqdm(total=total, desc=title, mininterval=2, file=sys.stderr)
