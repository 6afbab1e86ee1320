import json

from helpers.monitoring import simulate_batch
from helpers.monitoring.findings import LEVELS


def test_the_report_as_json_and_as_a_table(evaluate):
    report = evaluate(simulate_batch("covariate", 1.0, seed=50))
    content = json.loads(report.to_json())
    assert content["decision"] == report.decision and len(content["findings"]) == len(report.findings)
    assert content["findings"][0]["limits"] == [0.1, 0.25]
    table = report.frame()
    assert len(table) == len(report.findings) and table["level"].iloc[0] == "retrain"
    order = [LEVELS.index(level) for level in table["level"]]
    assert order == sorted(order, reverse=True)
    assert report.summary().startswith("decision: retrain\n  - ")


def test_findings_are_selected_by_check(evaluate):
    report = evaluate(simulate_batch("covariate", 0.0, seed=50))
    subjects = [finding.subject for finding in report.of_check("performance", "calibration")]
    assert subjects == ["F1", "ROC AUC", "cost", "churn rate"]
