import pytest

from helpers.monitoring import plots, simulate_batch

pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize(
    ("strength", "title"), [(0.0, "No feature changed enough to matter"), (1.0, "Changed: Age, Balance")]
)
def test_changed_features_are_named(evaluate, strength, title):
    report = evaluate(simulate_batch("covariate", strength, seed=70))
    assert plots.feature_distributions(report).get_suptitle() == title


def test_scores_are_drawn_as_shares_with_their_means(evaluate):
    report = evaluate(simulate_batch("covariate", 1.0, seed=70))
    fig = plots.score_distributions(report)
    ax = fig.axes[0]
    means = [line.get_xdata()[0] for line in ax.lines]
    assert means == pytest.approx([report.holdout["probability"].mean(), report.table["probability"].mean()])
    filled = [bar.get_height() for bar in ax.containers[0]] if ax.containers else []
    assert sum(filled) == pytest.approx(1)
    assert fig.get_suptitle().startswith("The scores have shifted: PSI ")
