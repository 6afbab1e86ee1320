"""LightGBM, which comes with the extra "boosting"; use it with ``--algorithms examples/my_lightgbm.py``."""

from lightgbm import LGBMClassifier

from helpers.training import Algorithm

ALGORITHMS = {
    "lightgbm": Algorithm(
        "LightGBM",
        LGBMClassifier(n_jobs=1, verbose=-1),
        {"n_estimators": [50, 200], "num_leaves": [7, 31], "learning_rate": [0.1]},
    ),
}
