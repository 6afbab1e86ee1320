"""What it costs when something of the validation customers gets into the training."""

import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.metrics import f1_score
from sklearn.model_selection import cross_val_score, train_test_split

from helpers.config import SEED, folds
from helpers.training.algorithms import CLASSIFY, PREPARE, make_pipeline


def leakage_effect(X: pd.DataFrame, y: pd.Series) -> pd.DataFrame:
    """Compare what cross-validation claims with what holds on customers kept aside.

    A quarter of the customers is kept aside. On the rest a k-nearest-neighbours classifier is cross-validated
    in three ways: everything fitted inside each fold; the scaler fitted on everybody beforehand; and leavers
    copied until the classes are equal before the folds are made, so that copies of one lie on both sides.

    Parameters
    ----------
    X : DataFrame of shape (n_customers, n_features)
        The training part.
    y : Series of shape (n_customers,)

    Returns
    -------
    DataFrame
        One row per way; ``claimed`` (mean validation F1) and ``kept`` (F1 on the customers kept aside).
    """
    X_near, X_kept, y_near, y_kept = train_test_split(X, y, test_size=0.25, stratify=y, random_state=SEED)
    pipeline = make_pipeline("knn")
    prepare = pipeline.named_steps[PREPARE].fit(X)
    copied = _balance_by_copies(y_near)
    ways = {
        "all inside the folds": (pipeline, X_near, y_near, X_kept),
        "scaler saw everybody": (
            pipeline.named_steps[CLASSIFY],
            prepare.transform(X_near),
            y_near,
            prepare.transform(X_kept),
        ),
        "leavers copied first": (make_pipeline("knn"), X_near.loc[copied], y_near.loc[copied], X_kept),
    }
    table = pd.DataFrame({way: _claimed_and_kept(*parts, y_kept) for way, parts in ways.items()}).T
    table.attrs = X.attrs
    return table


def _claimed_and_kept(
    model: BaseEstimator, X: pd.DataFrame, y: pd.Series, X_kept: pd.DataFrame, y_kept: pd.Series
) -> dict[str, float]:
    claimed = cross_val_score(model, X, y, scoring="f1", cv=folds()).mean()
    return {"claimed": claimed, "kept": f1_score(y_kept, model.fit(X, y).predict(X_kept))}


def _balance_by_copies(y: pd.Series) -> pd.Index:
    """Return the index of everybody, and that of random leavers again until both classes are equally many."""
    counts = y.value_counts()
    rare = counts.idxmin()
    again = y[y == rare].sample(counts.max() - counts.min(), replace=True, random_state=SEED)
    return y.index.append(again.index)
