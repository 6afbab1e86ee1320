"""Pictures of a report: levels in their colours, titles that say what was found, synthetic data named."""

import matplotlib.colors
import pandas as pd
import pytest

from benchmarks.false_alarm_rate import trained
from helpers.config import FEATURES, TARGET
from helpers.data.loading import load, split
from helpers.data.schema import validate
from helpers.data.synthetic import make_customers
from helpers.monitoring import plots
from helpers.monitoring.monitor import TOLERATED, evaluate_batch
from helpers.monitoring.performance_plots import performance

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def judge():
    reference = load()
    live, promised = trained(reference, n_estimators=20, min_samples_leaf=5)

    def made(rows: int = 2000, drop: tuple = (), costs: bool = True, **shift: float):
        batch = validate(make_customers(rows, 70, shift), target=False, tolerate=TOLERATED)
        batch.attrs["source"] = "made up"
        known = promised if costs else {name: promised[name] for name in ("test_f1", "test_roc_auc")}
        return evaluate_batch(live, reference, batch.drop(columns=list(drop)), known)

    return made


@pytest.fixture(scope="module")
def X_train() -> pd.DataFrame:
    return split(load()).X_train


def test_every_figure_is_drawn_and_names_its_customers(judge, X_train):
    figures = plots.all_figures(judge(), X_train)
    assert list(figures) == ["checks", "features", "psi", "domain_classifier", "scores", "performance"]
    for fig in figures.values():
        fig.canvas.draw()
        assert fig.get_supxlabel() == "made up"


def test_what_was_not_checked_is_not_drawn(judge, X_train):
    assert "performance" not in plots.all_figures(judge(drop=(TARGET,)), X_train)
    assert plots.all_figures(judge(rows=50), X_train) == {}


@pytest.mark.parametrize("shift", [{"missing": 1.0}, {"category": 1.0}, {"covariate": 1.0}])
def test_extremes_are_drawn(judge, X_train, shift):
    for fig in plots.all_figures(judge(**shift), X_train).values():
        fig.canvas.draw()


def test_titles_say_what_was_found(judge, X_train):
    unchanged = plots.all_figures(judge(), X_train)
    assert unchanged["features"].get_suptitle() == "No feature changed enough to matter"
    assert unchanged["performance"].get_suptitle() == "The promise holds"
    assert "can't be told" in unchanged["domain_classifier"].axes[0].get_title()
    older = plots.all_figures(judge(covariate=1.0), X_train)
    assert older["features"].get_suptitle() == "Changed: Age, Balance"
    assert older["checks"].get_suptitle().endswith("checks: retrain")
    other = plots.all_figures(judge(concept=1.0), X_train)
    assert other["performance"].get_suptitle().startswith("The promise is broken: F1, ROC AUC, cost")


def test_the_matrix_has_a_cell_per_check_in_the_colour_of_its_level(judge):
    report = judge(missing=0.3)
    ax = plots.check_matrix(report).axes[0]
    assert len(ax.patches) == len(report.findings)
    at = FEATURES.index("CreditScore")
    (cell,) = (patch for patch in ax.patches if patch.get_xy() == (1, at))
    assert matplotlib.colors.to_hex(cell.get_facecolor()) == plots.COLOURS["retrain"].lower()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[: len(FEATURES)] == FEATURES and labels[-1] == "calibration: churn rate"


def test_bars_are_the_psi(judge):
    report = judge(covariate=0.5)
    ax = plots.psi_bars(report).axes[0]
    widths = sorted(bar.get_width() for bar in ax.containers[0])
    assert widths == pytest.approx(sorted(f.effect for f in report.findings if f.measure == "PSI"))


def test_intervals_stand_at_promise_and_outcome(judge):
    report = judge()
    axes = performance(report).axes
    found = [f for f in report.findings if f.check in ("performance", "calibration")]
    assert [finding.subject for finding in found] == ["F1", "ROC AUC", "cost", "churn rate"]
    for ax, finding in zip(axes, found, strict=True):
        shown = [container.lines[0].get_ydata()[0] for container in ax.containers]
        assert shown == pytest.approx([finding.expected, finding.seen])


def test_the_cost_has_a_panel_and_a_scale_of_its_own(judge):
    report = judge(concept=0.5)
    panels = {ax.get_title(): ax for ax in performance(report).axes}
    cost = panels["cost a customer: retrain"]
    (finding,) = (f for f in report.findings if f.subject == "cost")
    low, high = cost.get_ylim()
    assert low < finding.expected_interval[0] < finding.seen_interval[1] < high
    assert [label.get_text() for label in cost.get_xticklabels()] == ["hold-out", "seen"]
    cells = [text.get_text() for text in plots.check_matrix(report).axes[0].texts]
    assert f"rise {finding.effect:.1%}" in cells


def test_costs_that_nobody_named_are_not_drawn(judge):
    report = judge(costs=False)
    assert len(performance(report).axes) == 3
