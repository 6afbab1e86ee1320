"""Plots of a report: titles state the result, and synthetic data is named."""

import pytest

from helpers.monitoring import evaluate_batch, plots, simulate_batch
from tests.support.bank import TARGET

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def unchanged(evaluate):
    return evaluate(simulate_batch("covariate", 0.0, seed=70))


def test_every_plot_is_drawn_and_names_its_customers(unchanged):
    drawn = plots.report_plots(unchanged)
    assert list(drawn) == ["checks", "features", "psi", "domain_classifier", "scores", "performance"]
    for fig in drawn.values():
        fig.canvas.draw()
        assert fig.get_supxlabel() == "2,000 synthetic customers, covariate=0"


def test_what_was_not_checked_is_not_drawn(evaluate):
    unlabeled = evaluate(simulate_batch("covariate", 0.0, seed=70).drop(columns=TARGET))
    assert "performance" not in plots.report_plots(unlabeled)
    too_small = evaluate(simulate_batch("covariate", 0.0, seed=70, rows=50))
    assert plots.report_plots(too_small) == {}
    with pytest.raises(ValueError):
        plots.domain_roc(too_small)


@pytest.mark.parametrize("shift", ["missing", "category", "covariate"])
def test_extreme_shifts_are_drawn(evaluate, shift):
    for fig in plots.report_plots(evaluate(simulate_batch(shift, 1.0, seed=70))).values():
        fig.canvas.draw()


def test_titles_state_the_result(evaluate, unchanged):
    drawn = plots.report_plots(unchanged)
    assert drawn["performance"].get_suptitle() == "Performance has not degraded"
    assert "cannot be distinguished" in drawn["domain_classifier"].axes[0].get_title()
    assert drawn["checks"].get_suptitle().endswith("checks: keep")
    concept = plots.performance(evaluate(simulate_batch("concept", 1.0, seed=70)))
    assert concept.get_suptitle().startswith("Performance degraded: F1, ROC AUC, cost")


def test_bars_are_the_psi(evaluate):
    report = evaluate(simulate_batch("covariate", 0.5, seed=70))
    ax = plots.psi_bars(report).axes[0]
    widths = sorted(bar.get_width() for bar in ax.containers[0])
    assert widths == pytest.approx(sorted(f.effect for f in report.findings if f.measure == "PSI"))


def test_performance_is_drawn_beside_the_baseline(unchanged):
    axes = plots.performance(unchanged).axes
    findings = unchanged.of_check("performance", "calibration")
    assert [finding.subject for finding in findings] == ["F1", "ROC AUC", "cost", "churn rate"]
    for ax, finding in zip(axes, findings, strict=True):
        drawn = [container.lines[0].get_ydata()[0] for container in ax.containers]
        assert drawn == pytest.approx([finding.reference, finding.current])


def test_the_cost_has_its_own_panel_and_scale(evaluate):
    report = evaluate(simulate_batch("concept", 0.5, seed=70))
    panels = {ax.get_title(): ax for ax in plots.performance(report).axes}
    ax = panels["cost per customer: retrain"]
    (cost,) = (finding for finding in report.findings if finding.subject == "cost")
    low, high = ax.get_ylim()
    assert low < cost.reference_interval[0] < cost.current_interval[1] < high
    assert [label.get_text() for label in ax.get_xticklabels()] == ["hold-out", "batch"]


def test_unknown_costs_are_not_drawn(reference, model):
    production, baseline = model
    scores = {name: baseline[name] for name in ("test_f1", "test_roc_auc")}
    batch = simulate_batch("covariate", 0.0, seed=70)
    assert len(plots.performance(evaluate_batch(production, reference, batch, scores)).axes) == 3
