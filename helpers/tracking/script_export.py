"""A standalone Python script that retrains one pipeline, logged beside its model."""

from collections.abc import Mapping
from string import Template
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from helpers.config import SCORES, SEED, TEST_SIZE
from helpers.data import missing_values
from helpers.table import current_table
from helpers.tracking.expressions import Expressions

_SOURCE = Template('''\
"""Retrain this exact pipeline from a CSV and print its scores on the hold-out.

    python pipeline.py data.csv [model.pkl]

Written by the training of $title; requires $requirements.
With a second argument, the fitted pipeline is pickled to that file.
"""

import json
import pickle
import sys

import pandas as pd
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
$imports

FEATURES = $features
NUMBERS = $numbers
TEXTS = $texts
MISSING = $missing

pipeline = $pipeline


$read


def main(data: str, out: str | None = None) -> None:
    """Split as in training, fit on the training part, score the hold-out once."""
    table = read(data)
    X = table[FEATURES].astype(dict.fromkeys(NUMBERS, "float64"))
    y = (table[$target] == $positive).astype("int64")
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=$test_size, stratify=y, random_state=$seed
    )
    pipeline.fit(X_train, y_train)
    print(json.dumps({f"test_{name}": get_scorer(name)(pipeline, X_test, y_test) for name in $scores}))
    if out:
        with open(out, "wb") as file:
            pickle.dump(pipeline, file)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python pipeline.py data.csv [model.pkl]")
    main(*sys.argv[1:])
''')


_READ = '''\
def read(data: str) -> pd.DataFrame:
    """Read the CSV."""
    types = dict.fromkeys(TEXTS, "str")
    table = pd.read_csv(data, dtype=types, keep_default_na=False, na_values=MISSING)
    return table.dropna(how="all")'''

# For a file that is not written as the project writes its own.
_READ_OTHER = Template('''\
def number(value: object, decimal: str) -> float:
    """Return a number, however the file writes it."""
    if not isinstance(value, str):
        return float(value)
    kept = [character for character in value if character.isalnum() or character in "-+" + decimal]
    plain = "".join(kept).replace(decimal, ".")
    return float({"true": 1, "false": 0}.get(plain.lower(), plain))


def text(value: object) -> str:
    """Return a text, and a whole number without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read(data: str) -> pd.DataFrame:
    """Read the table as it is written: $format."""
    table = $expression.rename(columns=$renames)
    table = table.astype(object).replace("", None).dropna(how="all")
    table = table.mask(table.isin(MISSING))
    for name, decimal in $decimal_marks.items():
        table[name] = [number(value, decimal) if pd.notna(value) else None for value in table[name]]
    for name in TEXTS:
        table[name] = table[name].map(text, na_action="ignore").astype("str")
    return table''')


def pipeline_source(
    pipeline: Pipeline, title: str, requirements: list[str], reader: Mapping[str, Any] | None = None
) -> str:
    """Return the source of a script that rebuilds and refits ``pipeline``, independent of this package.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted or not; only its parameters are written.
    title : str
        What the pipeline is, for the script's docstring.
    requirements : list of str
        Pinned packages, for the docstring.
    reader : mapping, optional
        How the table is read, unless it is written as the project writes its own: the attribute ``script`` of
        a table from ``data.load``.

    Raises
    ------
    SettingError
        If a parameter cannot be written as Python, e.g. a lambda.
    """
    described, expressions = current_table(), Expressions()
    coded = described.target.is_coded
    expression = expressions.write(clone(pipeline), "pipeline")
    imports = sorted(f"from {module} import {name}" for name, module in expressions.imports.items())
    return _SOURCE.substitute(
        title=title,
        requirements=", ".join(requirements),
        imports="\n".join(imports),
        features=described.feature_names,
        numbers=described.numeric + described.binary,
        target=repr(described.target_name),
        positive=1 if coded else repr(described.target.positive.value),
        texts=described.categorical + ([] if coded else [described.target_name]),
        missing=missing_values(),
        pipeline=expression,
        read=_READ_OTHER.substitute(reader) if reader else _READ,
        test_size=TEST_SIZE,
        seed=SEED,
        scores=SCORES,
    )
