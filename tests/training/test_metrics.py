import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from helpers.training.metrics import evaluate


def test_scores_equal_scikit_learns_on_the_hold_out(fitted, sample):
    model, X, y = fitted["tree"], sample.X_test, sample.y_test
    scores = evaluate(model, X, y)
    assert scores == pytest.approx(
        {
            "test_f1": f1_score(y, model.predict(X)),
            "test_accuracy": accuracy_score(y, model.predict(X)),
            "test_roc_auc": roc_auc_score(y, model.predict_proba(X)[:, 1]),
        },
        abs=1e-12,
    )
    assert evaluate(model, X, y, prefix="batch")["batch_f1"] == scores["test_f1"]
