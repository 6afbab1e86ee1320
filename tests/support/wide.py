"""A table unlike the bank's: 60 columns with awkward names, missing values, and a target of Y and N."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

AWKWARD = [
    "order",
    "Größe (m²)",
    "select.from",
    "Monthly $ rate $",
    "a/b: c#d",
    "x" * 60,
    "50% quota",
    'the "name"',
]
N_NUMERIC, N_CATEGORICAL, N_BINARY = 36, 14, 8
GRADES = ["A", "B", "None", "Très bon"]


def write_wide_table(folder: Path, rows: int = 600) -> tuple[Path, Path]:
    """Write a description and its CSV; return both paths."""
    random = np.random.default_rng(5)
    numeric = [*AWKWARD, *(f"amount_{i}" for i in range(N_NUMERIC - len(AWKWARD)))]
    categorical = [f"grade {i}" for i in range(N_CATEGORICAL)]
    binary = [f"flag-{i}" for i in range(N_BINARY)]
    table = pd.DataFrame({name: random.normal(100, 15, rows).round(3) for name in numeric})
    table = table.assign(
        **{name: random.choice(GRADES, rows, p=[0.5, 0.3, 0.195, 0.005]) for name in categorical}
    )
    table = table.assign(**{name: random.integers(0, 2, rows) for name in binary})
    risk = (
        (table[AWKWARD[0]] - 100) / 10
        + (table["grade 0"] == "B")
        + table["flag-0"]
        + random.normal(0, 1, rows)
    )
    table.insert(0, "loan id", [f"L{i:05}" for i in range(rows)])
    table["default_flag"] = np.where(risk > 1.3, "Y", "N")
    table.loc[random.random(rows) < 0.1, AWKWARD[1]] = np.nan
    table.loc[random.random(rows) < 0.1, "grade 1"] = np.nan
    features: dict[str, dict] = {name: {"role": "numeric"} for name in numeric}
    features[AWKWARD[1]]["missing"] = "median"
    features |= {name: {"role": "categorical", "values": GRADES} for name in categorical}
    features["grade 1"]["missing"] = "category"
    features |= {name: {"role": "binary"} for name in binary}
    labels = {"negative": {"value": "N", "label": "repaid"}, "positive": {"value": "Y", "label": "defaulted"}}
    description = {
        "name": "credit_default",
        "title": "Credit default",
        "identifiers": ["loan id"],
        "key": "loan id",
        "target": {"column": "default_flag", "outcome": "default", **labels},
        "features": features,
    }
    paths = folder / "wide.yaml", folder / "wide.csv"
    paths[0].write_text(yaml.safe_dump(description, allow_unicode=True, sort_keys=False))
    table.to_csv(paths[1], index=False)
    return paths
