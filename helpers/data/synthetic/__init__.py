"""Synthetic customers: any number, reproducible, with drift on request. No row is a real customer.

Each table that can be generated has a module here; see `Generator`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from helpers.data.synthetic import bank, telecom
from helpers.errors import SettingError
from helpers.table import current_table

IDS_PER_SEED = 10_000_000


class Generator(Protocol):
    """What the module of a table has.

    Attributes
    ----------
    SHIFTS : dict
        What each shift does, by its name.
    DRAWS : list of str
        Names of the uniform numbers that a customer takes, whatever the shift.
    KEY, ID_PREFIX, FIRST_ID : str, str, int
        The column of ids, the text before an id's number, and the number of seed 0's first customer.
    """

    SHIFTS: dict[str, str]
    DRAWS: list[str]
    KEY: str
    ID_PREFIX: str
    FIRST_ID: int

    def customers(
        self, draw: dict[str, np.ndarray], id_numbers: np.ndarray, strength: dict[str, float]
    ) -> pd.DataFrame:
        """Return the table of customers."""
        ...


GENERATORS: dict[str, Generator] = {"churn": bank, "telecom": telecom}


def known_shifts() -> dict[str, str]:
    """Return what each shift of `make_customers` does to the table in use, by the shift's name."""
    return _generator().SHIFTS


def has_generator() -> bool:
    """Tell whether `make_customers` knows the table in use."""
    return current_table().name in GENERATORS


def make_customers(n: int, seed: int, shift: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Draw customers of the table in use.

    Parameters
    ----------
    n : int
        How many; at least 1.
    seed : int
        Not negative. The same seed gives the same customers; another one gives others, with other ids (up to
        ten million customers per seed).
    shift : mapping, optional
        Strength in [0, 1] by name of `known_shifts`. What a shift does not touch stays as it was drawn.

    Returns
    -------
    DataFrame of shape (n, n_columns)
        Typed as ``reading.TableReader`` would: whole numbers int64, amounts float64, text str.

    Raises
    ------
    SettingError
        If ``n`` or ``seed`` is out of range, a shift is unknown, its strength is not in [0, 1], or there is
        no generator for the table in use.
    """
    generator = _generator()
    strength = _shift_strengths(generator, n, seed, shift)
    # Only uniform numbers, the same on every machine.
    numbers = np.random.default_rng(seed).random((len(generator.DRAWS), n))
    draw = dict(zip(generator.DRAWS, numbers, strict=True))
    order = np.argsort(draw[generator.KEY], kind="stable")
    return generator.customers(draw, generator.FIRST_ID + IDS_PER_SEED * seed + order, strength)


def is_synthetic(path: Path) -> bool:
    """Tell whether a file is a table of `make_customers`: no company's customers have ids without a gap."""
    generator = _generator()
    try:
        ids = pd.read_csv(path, usecols=[generator.KEY], dtype="str")[generator.KEY]
        numbers = np.sort(ids.str.removeprefix(generator.ID_PREFIX).astype("int64").to_numpy())
    except ValueError:  # also what pandas raises for files that are no CSV
        return False
    return (
        len(numbers) > 0
        and (numbers[0] - generator.FIRST_ID) % IDS_PER_SEED == 0
        and bool((np.diff(numbers) == 1).all())
    )


def _generator() -> Generator:
    name = current_table().name
    if name not in GENERATORS:
        known = ", ".join(GENERATORS)
        raise SettingError(f"no generator for {name}: synthetic customers are there for {known} only")
    return GENERATORS[name]


def _shift_strengths(
    generator: Generator, n: int, seed: int, shift: Mapping[str, float] | None
) -> dict[str, float]:
    """Check the arguments of `make_customers`; return the strength of every shift."""
    if n < 1 or seed < 0:
        raise SettingError(f"n must be at least 1 and seed not negative, not n={n}, seed={seed}")
    for name, strength in (shift or {}).items():
        if name not in generator.SHIFTS:
            raise SettingError(f"unknown shift {name!r}: choose from {', '.join(generator.SHIFTS)}")
        if not 0 <= strength <= 1:
            raise SettingError(f"the strength of shift {name!r} must be in 0 to 1, not {strength}")
    return dict.fromkeys(generator.SHIFTS, 0.0) | dict(shift or {})
