"""Progress bars: a widget in JupyterLab, plain text everywhere else."""

import os
import sys

from tqdm import tqdm


def progress(total: int | None, title: str) -> tqdm:
    """Return a progress bar; use it in a ``with`` block and update it.

    Papermill and nbval run a notebook without a front end to render widgets, so there it is plain text on
    standard error, at most once every two seconds.
    """
    # Jupyter Server sets this for the kernels of notebooks that are open in a browser.
    if "JPY_SESSION_NAME" in os.environ:
        from tqdm.notebook import tqdm as widget

        return widget(total=total, desc=title)
    return tqdm(total=total, desc=title, mininterval=2, file=sys.stderr)
