"""Data leakage: how much cross-validation overstates a model when validation customers leak into training."""

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_score, train_test_split

from helpers.config import SEED, folds
from helpers.training.algorithms import CLASSIFY, PREPARE, make_pipeline


def leakage_effect(X: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
    """Compare the F1 of cross-validation with the F1 on held-out customers, with and without leakage.

    A quarter of the customers is held out. On the rest, a k-nearest-neighbors classifier is cross-validated
    in three ways: with everything fitted inside each fold; with the scaler fitted on all customers before;
    and with churners oversampled to equal classes before the folds are made, so that copies of one customer
    are in training and validation.

    Parameters
    ----------
    X : DataFrame of shape (n_customers, n_features)
        The training part.
    y : Series of shape (n_customers,)

    Returns
    -------
    DataFrame
        One row per way; the columns ``cross-validation`` (mean validation F1) and ``hold-out`` (F1).
    """
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
    pipeline = make_pipeline("knn", X)
    prepare = pipeline.named_steps[PREPARE].fit(X)
    scaled = prepare.transform(X_train), y_train, prepare.transform(X_test)
    rows = _oversampled(y_train)
    table = pd.DataFrame(
        {
            "all inside the folds": _scores(pipeline, X_train, y_train, X_test, y_test),
            "scaler fitted on all": _scores(pipeline.named_steps[CLASSIFY], *scaled, y_test),
            "oversampled before": _scores(pipeline, X_train.loc[rows], y_train.loc[rows], X_test, y_test),
        }
    ).T
    table.attrs = X.attrs
    return table


def _scores(
    model: BaseEstimator, X: pd.DataFrame, y: pd.Series, X_test: pd.DataFrame, y_test: pd.Series
) -> dict[str, float]:
    validation = cross_val_score(model, X, y, scoring="f1", cv=folds()).mean()
    return {"cross-validation": validation, "hold-out": f1_score(y_test, model.fit(X, y).predict(X_test))}


def _oversampled(y: pd.Series) -> pd.Index:
    """Return the index of all customers, plus random repeats from the rarer class up to equal classes."""
    counts = y.value_counts()
    repeats = y[y == counts.idxmin()].sample(counts.max() - counts.min(), replace=True, random_state=SEED)
    return y.index.append(repeats.index)
