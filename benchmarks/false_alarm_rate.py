"""False alarm rate of monitoring, and its detection rate: decisions on batches with a known shift.

    python -m benchmarks.false_alarm_rate [--unchanged 200] [--shifted 20] [--rows 2000]

A forest is trained once on the embedded synthetic sample; every batch is drawn from the same generator.
Fails if more than 2% of the unchanged batches end in "retrain".
"""

import argparse
import sys
import time

import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import cross_val_predict

from helpers.config import folds
from helpers.data import known_shifts, load, make_customers, split, validate
from helpers.markdown import markdown_table
from helpers.monitoring import TOLERATED, evaluate_batch
from helpers.registry import ProductionModel
from helpers.table import current_table
from helpers.training import add_step_prefix, choose_threshold, evaluate, make_pipeline

MAX_FALSE_ALARMS = 0.02
STRENGTHS = [0.1, 0.25, 0.5, 1.0]
SEED_UNCHANGED, SEED_SHIFTED = 10_000, 20_000  # the first of each; far from the sample's

# What a search over the default grid chose on the embedded sample, with fewer trees: 400 take twice as long.
FOREST = {"n_estimators": 100, "min_samples_leaf": 5, "class_weight": "balanced"}


def trained(reference: pd.DataFrame, **params: object) -> tuple[ProductionModel, dict[str, float]]:
    """Train a forest and choose its threshold as the workflow does; return it with its baseline."""
    X_train, X_test, y_train, y_test = split(reference)
    pipeline = make_pipeline("forest").set_params(**add_step_prefix(params))
    oof = cross_val_predict(pipeline, X_train, y_train, cv=folds(), method="predict_proba")[:, 1]
    threshold = choose_threshold(y_train, oof)
    pipeline.fit(X_train, y_train)
    baseline = evaluate(pipeline, X_test, y_test) | threshold.metrics()
    return ProductionModel(pipeline, 1, threshold.value, "", ""), baseline


def cases(unchanged: int, shifted: int) -> list[tuple[str, float, int]]:
    """List every batch as shift, strength and seed."""
    plain = [("unchanged", 0.0, SEED_UNCHANGED + number) for number in range(unchanged)]
    return plain + [
        (shift, strength, SEED_SHIFTED + number)
        for shift in known_shifts()
        for strength in STRENGTHS
        for number in range(shifted)
    ]


def decide(
    production: ProductionModel,
    reference: pd.DataFrame,
    baseline: dict[str, float],
    case: tuple[str, float, int],
    rows: int,
) -> dict:
    """Return the decision on one batch, with and without its outcomes."""
    shift, strength, seed = case
    customers = make_customers(rows, seed, {shift: strength} if strength else None)
    batch = validate(customers, target=False, tolerate=TOLERATED)
    unlabeled = batch.drop(columns=current_table().target_name)
    return {
        "shift": shift,
        "strength": strength,
        "with outcomes": evaluate_batch(production, reference, batch, baseline).decision,
        "without": evaluate_batch(production, reference, unlabeled, baseline).decision,
    }


def shares(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each decision by shift and strength, with and without outcomes."""
    groups = decisions.groupby(["shift", "strength"], sort=False)
    columns = {"batches": groups.size()}
    for outcomes in ("with outcomes", "without"):
        for decision in ("retrain", "watch"):
            columns[f"{decision}, {outcomes}"] = groups[outcomes].agg(
                lambda decided, d=decision: decided.eq(d).mean()
            )
    return pd.DataFrame(columns).reset_index()


def markdown(table: pd.DataFrame) -> str:
    """Return the shares as a Markdown table."""
    formats = {name: ".1%" for name in table if name.startswith(("retrain", "watch"))}
    return markdown_table(table, {"strength": "g", **formats})


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return the exit code."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--unchanged", type=int, default=200, help="unchanged batches")
    cli.add_argument("--shifted", type=int, default=20, help="batches of each shift and strength")
    cli.add_argument("--rows", type=int, default=2000, help="customers in a batch")
    options = cli.parse_args(arguments)
    start = time.monotonic()
    reference = load()
    production, baseline = trained(reference, **FOREST)
    batches = cases(options.unchanged, options.shifted)
    decisions = Parallel(n_jobs=-1)(
        delayed(decide)(production, reference, baseline, case, options.rows) for case in batches
    )
    table = shares(pd.DataFrame(decisions))
    print(markdown(table))
    false_alarms = table.loc[table["shift"] == "unchanged", ["retrain, with outcomes", "retrain, without"]]
    print(f"\n{len(batches)} batches of {options.rows:,} customers in {time.monotonic() - start:.0f} s")
    if (false_alarms > MAX_FALSE_ALARMS).any(axis=None):
        print(f"false alarms: more than {MAX_FALSE_ALARMS:.0%} of the unchanged batches", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
