"""Validate a customer table, part by part, with one error that lists every problem."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa

from helpers.data.problems import Problem, alike, bad_values, class_counts, missing_column, no_rows
from helpers.data.schema import as_floats, as_text, codes, places, schema
from helpers.errors import DataError
from helpers.table import current_table


def validate(
    df: pd.DataFrame, *, target: bool = True, tolerate: Collection[str] = (), source: str = "the table"
) -> pd.DataFrame:
    """Check a table and return it in the project's types, or raise one error that lists every problem.

    Parameters
    ----------
    df : DataFrame
        See `Validation.add`.
    target : bool
        See `Validation`.
    tolerate, source
        See `refuse`.

    Returns
    -------
    DataFrame
        See `Validation.add`, with a new index; the outcome is int64 unless some are missing.

    Raises
    ------
    DataError
        If there is any problem that is not tolerated.
    """
    table, problems = check(df, target=target)
    refuse(problems, tolerate, source)
    return with_whole_outcome(table)


def check(df: pd.DataFrame, *, target: bool = True) -> tuple[pd.DataFrame, list[Problem]]:
    """Cast a table, with a new index, and list what is wrong with it, without raising; see `Validation`."""
    validation = Validation(target)
    table = validation.add(df).reset_index(drop=True)
    return table, validation.problems()


def refuse(problems: Iterable[Problem], tolerate: Collection[str] = (), source: str = "the table") -> None:
    """Raise one error that lists all problems but those that are tolerated.

    Parameters
    ----------
    problems : iterable of Problem
    tolerate : collection of str
        Kinds of problem to let through, e.g. ``{MISSING_VALUE, UNKNOWN_CATEGORY}`` for a batch to monitor.
    source : str
        What to call the table in the error, e.g. its file name.
    """
    problems = [problem for problem in problems if problem.kind not in tolerate]
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise DataError("\n  - ".join([f"{source} cannot be used, {count}:", *map(str, problems)]))


def with_whole_outcome(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the outcome as int64, unless it is missing for some."""
    outcome = table.get(current_table().target_name)
    return table if outcome is None or outcome.isna().any() else table.astype({outcome.name: "int64"})


class Validation:
    """The check of a table, part by part: as little as a part of it is in memory.

    Parameters
    ----------
    target : bool
        True for a training table: features, outcome, both classes. False for new customers: the features
        are required; identifiers and outcome are checked only where given.
    names : sequence of str
        The columns of the file, if parts do not have all of them: one may be meant by a missing one.
    """

    def __init__(self, target: bool = True, names: Sequence[str] = ()):
        self._names = names
        self._described, self._target = current_table(), target
        self._schema = schema(target)
        self._rows, self._outcomes = 0, pd.Series(0, [0, 1])
        self._failures: dict[tuple[str, str], list[pd.Series]] = {}  # by column and check: values by place
        self._absent: dict[str, Problem] = {}
        self._keys: list[pd.Series] = []

    def add(self, part: pd.DataFrame) -> pd.DataFrame:
        """Cast and check more rows.

        Parameters
        ----------
        part : DataFrame
            As read by ``reading.TableReader``; see `places` for the index. If rows come from no file, name
            the index `ROW`: messages then show its labels.

        Returns
        -------
        DataFrame
            The known columns, in the table's order, extra ones dropped. Numeric and binary columns and the
            outcome are float64 (an MLflow signature of integers would reject a float later), categories and
            identifiers str.
        """
        rows = places(part.index)
        known = [name for name in self._described.columns if name in part]
        given = pd.DataFrame({name: part[name] for name in known}, copy=False).reset_index(drop=True)
        self._rows += len(part)
        table = self._cast(given, known, rows)
        self._check(given, table, rows, list(part.columns))
        if (key := self._described.key) in table:
            self._keys.append(table[key].dropna().set_axis(rows[table[key].notna()]))
        if self._described.target_name in table:
            self._outcomes = self._outcomes.add(
                table[self._described.target_name].value_counts(), fill_value=0
            )
        return table.set_axis(part.index)

    def problems(self) -> list[Problem]:
        """Return everything that is wrong with the rows so far, in the order of the columns."""
        if not self._rows:
            return [no_rows()]
        problems = [*self._absent.values()]
        for (column, name), values in self._failures.items():
            joined = pd.concat(values)
            problems.append(bad_values(column, name, joined, joined.index))
        if len(twice := _duplicates(self._keys)):
            problems.append(bad_values(str(self._described.key), "field_uniqueness", twice, twice.index))
        outcome = self._described.target_name
        if self._target and not any(problem.column == outcome for problem in problems):
            problems += class_counts(self._outcomes)
        return sorted(problems, key=lambda problem: self._described.columns.index(problem.column))

    def _cast(self, given: pd.DataFrame, known: list[str], rows: pd.Index) -> pd.DataFrame:
        """Parse numbers and the outcome as float64, the others as str; note what is not a number."""
        described, columns = self._described, {}
        for name in known:
            values = given[name]
            if name in described.identifiers:
                columns[name] = as_text(values)
            elif name in described.categorical:
                columns[name] = values.astype("str")
            else:
                numbers = codes(values, described) if name == described.target_name else values
                columns[name] = as_floats(numbers, name in described.numeric)
                if not (described.bounds(name) or described.choices(name)):
                    columns[name] = columns[name].mask(np.isinf(columns[name]))  # no model can use it
                wrong = (values.notna() & columns[name].isna()).to_numpy()
                self._note(name, "to_numeric", values, wrong, rows)
        return pd.DataFrame(columns, copy=False)

    def _check(self, given: pd.DataFrame, table: pd.DataFrame, rows: pd.Index, names: Sequence[str]) -> None:
        """Note where rows in the project's types break the schema; ``given`` are they as read."""
        try:
            self._schema.validate(table, lazy=True, inplace=True)  # a copy takes as much memory
        except pa.errors.SchemaErrors as error:
            failures = error.failure_cases.groupby(["column", "check"], dropna=False, sort=False)
        else:
            return
        for (column, name), cases in failures:
            if name == "column_in_dataframe":
                for absent in cases["failure_case"]:
                    self._absent.setdefault(absent, missing_column(absent, self._names or names))
                continue
            failed = np.zeros(len(table), dtype=bool)
            failed[cases["index"].astype("int64")] = True
            failed &= ~(given[column].notna() & table[column].isna()).to_numpy()  # those are already noted
            shown = table[column] if column in self._described.identifiers else given[column]
            if name != "not_nullable" and column in self._described.categorical:
                misspelled = failed & np.array([bool(alike(column, value)) for value in shown])
                self._note(column, "spelling", shown, misspelled, rows)
                failed &= ~misspelled
            self._note(column, name, shown, failed, rows)

    def _note(self, column: str, check: str, values: pd.Series, failed: np.ndarray, rows: pd.Index) -> None:
        if failed.any():
            self._failures.setdefault((column, check), []).append(values[failed].set_axis(rows[failed]))


def _duplicates(parts: list[pd.Series]) -> pd.Series:
    """Return the values that occur twice; a table of all of them would take as much memory as they do."""
    if not parts:
        return pd.Series(dtype="str")
    hashes = [pd.util.hash_array(part.to_numpy(dtype=object), categorize=False) for part in parts]
    ordered = np.sort(np.concatenate(hashes))
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    suspects = pd.concat([part[np.isin(found, twice)] for part, found in zip(parts, hashes, strict=True)])
    return suspects[suspects.duplicated(keep=False)]
