import matplotlib.colors
import pytest

from helpers.monitoring import plots, simulate_batch
from helpers.monitoring.check_plots import LEVEL_COLORS
from tests.support.bank import FEATURES, TARGET

pytestmark = pytest.mark.filterwarnings("error")


def cell_at(ax, column: float, row: float):
    """Return the cell that covers a point of a grid: its color and text."""
    (patch,) = (p for p in ax.patches if p.contains_point(ax.transData.transform((column + 0.1, row + 0.1))))
    middle = (patch.get_x() + patch.get_width() / 2, patch.get_y() + patch.get_height() / 2)
    (text,) = (t.get_text() for t in ax.texts if t.get_position() == pytest.approx(middle))
    return matplotlib.colors.to_hex(patch.get_facecolor()), text


def test_the_matrix_has_a_cell_per_check_colored_by_level(evaluate):
    report = evaluate(simulate_batch("missing", 0.3, seed=70))
    ax = plots.check_matrix(report).axes[0]
    assert len(ax.patches) == len(report.findings)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[: len(FEATURES)] == FEATURES and labels[-1] == "calibration: churn rate"
    (missing,) = (f for f in report.of_check("missing values") if f.subject == "CreditScore")
    color, text = cell_at(ax, 1, FEATURES.index("CreditScore"))
    assert (color, text) == (LEVEL_COLORS["retrain"].lower(), f"missing {missing.effect:.1%}")


def test_the_overview_shows_the_most_severe_finding_of_each_check(evaluate):
    covariate = simulate_batch("covariate", 0.5, seed=70)
    reports = {
        "unlabeled": evaluate(simulate_batch("covariate", 0.0, seed=71).drop(columns=TARGET)),
        "covariate": evaluate(covariate),
        "too small": evaluate(simulate_batch("covariate", 0.5, seed=70, rows=50)),
    }
    fig = plots.check_overview(reports)
    assert fig.get_suptitle() == "Retrain for 1 of 3 batches"
    ax = fig.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == list(reports)
    rows = [label.get_text() for label in ax.get_yticklabels()]
    assert rows[:2] == ["distribution", "missing values"] and rows[-2:] == ["calibration", "decision"]
    assert {"performance: F1", "performance: ROC AUC", "performance: cost"} < set(rows)

    assert cell_at(ax, 0, 0)[0] == LEVEL_COLORS["keep"].lower()
    psi = max(finding.effect for finding in reports["covariate"].of_check("distribution"))
    color, text = cell_at(ax, 1, 0)
    assert (color, text) == (LEVEL_COLORS["retrain"].lower(), f"Age, Balance\nPSI {psi:.2f}")
    # The row of the decision is set apart by a gap.
    assert [cell_at(ax, column, len(rows) - 0.7)[1] for column in range(3)] == ["keep", "retrain", "watch"]
    not_checked = sum(text.get_text() == "not checked" for text in ax.texts)
    assert not_checked == 4 + (len(rows) - 1)  # without outcomes, and the whole of the small batch
