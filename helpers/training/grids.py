"""The grid to search: the algorithm's default, or one's own, every value checked before the search."""

import json
from typing import Any

from sklearn.base import BaseEstimator

from helpers.errors import SettingError
from helpers.table import current_table
from helpers.training.algorithms import algorithm, seeded
from helpers.training.entries import check_key, check_value


def make_grid(name: str, grid: dict[str, list] | str | None = None) -> dict[str, list]:
    """Return the grid to search: the algorithm's default, or the given one once validated.

    Parameters
    ----------
    name : str
        Of an algorithm.
    grid : dict or str, optional
        Values per hyperparameter, e.g. ``{"n_neighbors": [5, 9]}``, or the same as JSON text (which
        ``papermill -p grid`` passes). None or empty text means the default.

    Returns
    -------
    dict
        ``{hyperparameter: [values]}``, without the pipeline's step prefix. In a ``class_weight``, classes are
        numbers, although JSON has them as text.

    Raises
    ------
    SettingError
        If it is not JSON, not a mapping of names to non-empty lists, or has a hyperparameter or a value that
        the estimator does not take.
    """
    chosen = algorithm(name)
    if grid is None or grid == "":
        return {key: [_seeded(value) for value in values] for key, values in chosen.grid.items()}
    if isinstance(grid, str):
        try:
            grid = json.loads(grid, object_pairs_hook=_without_duplicates)
        except SettingError:
            raise
        except (ValueError, RecursionError) as error:
            raise SettingError(
                f"grid is not JSON ({error}); write it like {json.dumps(chosen.grid)}"
            ) from None
    if not isinstance(grid, dict) or not grid:
        raise SettingError(f"grid must map hyperparameters to lists of values, like {chosen.grid}")
    return {key: _values(chosen.estimator, key, values) for key, values in grid.items()}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; of two values for one key, `json` would drop the first."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise SettingError(f"grid has {key!r} twice: write all its values in one list")
        found[key] = value
    return found


def _seeded(value: object) -> object:
    return seeded(value) if hasattr(value, "get_params") and not isinstance(value, type) else value


def _values(estimator: BaseEstimator, key: str, values: list) -> list:
    """Return the values of a hyperparameter, each checked as the estimator's ``fit`` would."""
    check_key(estimator, key, values)
    default = estimator.get_params()[key]
    if key == "class_weight":
        values = [_class_weight(value) if isinstance(value, dict) else value for value in values]
    for value in values:
        if isinstance(value, bool) and not isinstance(default, bool):
            raise SettingError(f"grid key {key!r} cannot be {value}: use a number, text or null")
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise SettingError(f"grid key {key!r} cannot be an integer of more than 64 bits")
        check_value(estimator, key, value)
    return values


def _class_weight(weights: dict[Any, Any]) -> dict[int, float]:
    """Return weights by class, which is 0 or 1; JSON's keys are text."""
    classes = {str(value): int(value) for value in current_table().choices(current_table().target_name)}
    if unknown := [key for key in weights if isinstance(key, bool) or str(key) not in classes]:
        raise SettingError(f"grid key 'class_weight' has class {unknown[0]!r}: the classes are 0 and 1")
    for weight in weights.values():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < 1e12:
            raise SettingError(f"grid key 'class_weight' has weight {weight!r}: weights are numbers above 0")
    return {classes[str(key)]: weight for key, weight in weights.items()}
