"""XGBoost and LightGBM, which are optional."""

from importlib import import_module

from sklearn.base import BaseEstimator

from tests.support.servers import missing

CLASSIFIERS = {"xgboost": "XGBClassifier", "lightgbm": "LGBMClassifier"}


def classifier(package: str, **params: object) -> BaseEstimator:
    """Return a small classifier of a package; skip the test, or fail it in CI, if it is not installed."""
    try:
        module = import_module(package)
    except ImportError:
        missing(package, "pip install -e '.[boosting]' -c constraints.txt")
    return getattr(module, CLASSIFIERS[package])(n_estimators=10, n_jobs=1, **params)
