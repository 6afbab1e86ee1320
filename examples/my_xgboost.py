"""XGBoost, which comes with the extra "boosting"; use it with ``--algorithms examples/my_xgboost.py``."""

from xgboost import XGBClassifier

from helpers.training import Algorithm

ALGORITHMS = {
    "xgboost": Algorithm(
        "XGBoost",
        XGBClassifier(n_jobs=1),
        {"n_estimators": [50, 200], "max_depth": [3, 5], "learning_rate": [0.1]},
    ),
}
