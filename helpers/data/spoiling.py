"""A table with errors put in on purpose, to show what validation says of each."""

import pandas as pd

from helpers.table import current_table

UNKNOWN = "Atlantis"  # no category of any table


def spoil(customers: pd.DataFrame) -> pd.DataFrame:
    """Return a copy in which each kind of problem occurs, as far as the table's description has such columns.

    Parameters
    ----------
    customers : DataFrame of shape (n_customers, n_columns)
        Validated; at least 13 rows.
    """
    described = current_table()
    spoiled = customers.astype(object).reset_index(drop=True)
    complete = [name for name in described.numeric if name in described.never_missing]
    ranged = {name: bounds for name in complete if (bounds := described.bounds(name))}
    for name, (_, high) in list(ranged.items())[:1]:
        spoiled.loc[3, name] = "forty"
        spoiled.loc[4, name] = high + 100
    spoiled.loc[5:8, complete[-1:]] = None
    spoiled.loc[9, described.categorical[:1]] = UNKNOWN
    if described.key and described.key in spoiled:
        spoiled[described.key] = spoiled[described.key].where(
            spoiled.index != 11, spoiled[described.key].shift()
        )
    spoiled.loc[12, described.target_name] = 2
    return spoiled.drop(columns=described.feature_names[-1])
