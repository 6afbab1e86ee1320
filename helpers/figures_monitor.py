"""Pictures of a monitoring report: one for each kind of finding, and one of all checks."""

import pandas as pd
from matplotlib.figure import Figure


def all_figures(report, reference: pd.DataFrame) -> dict[str, Figure]:
    """Return every figure that the report has findings for, by name."""
    return {}
