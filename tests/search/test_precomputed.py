"""Known tables get their stored results; other tables go to the fitted preprocessing."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from helpers.search.precomputed import PrecomputedPredictions, PrecomputedTransform


def test_a_table_is_transformed_again_only_if_it_is_another():
    table = pd.DataFrame({"age": [20.0, 30.0, 70.0]})
    fitted = StandardScaler().fit(table)
    transform = PrecomputedTransform(fitted, [(table, "stored")])
    assert transform.transform(table) == "stored"
    equal = table.copy()
    np.testing.assert_array_equal(transform.transform(equal), fitted.transform(table))


def test_predictions_are_found_by_table():
    first, second = np.zeros((1, 2)), np.zeros((1, 2))
    results = [
        (first, np.array([[0.9, 0.1]]), np.array([0])),
        (second, np.array([[0.2, 0.8]]), np.array([1])),
    ]
    model = PrecomputedPredictions(np.array([0, 1]), results)
    assert model.predict(second).tolist() == [1]
    assert model.predict_proba(first).tolist() == [[0.9, 0.1]]
