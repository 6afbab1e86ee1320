import numpy as np
import pytest
from sklearn.model_selection import cross_validate

from helpers.config import folds
from helpers.data import load, split
from helpers.table import use_table
from helpers.training.algorithms import CLASSIFY, PREPARE, make_pipeline
from helpers.training.preprocessing import MISSING, make_preprocessing
from tests.support.wide import AWKWARD, write_wide_table


@pytest.fixture
def wide(tmp_path):
    description, table = write_wide_table(tmp_path)
    use_table(description)
    return load(table)


def test_a_missing_value_is_imputed_from_the_rows_that_are_fitted(wide):
    few, name = wide.head(100), AWKWARD[1]
    prepare = make_preprocessing(wide).fit(few)
    imputer = prepare.named_transformers_["scale_median"][0]
    assert imputer.statistics_ == [few[name].median()] != [wide[name].median()]
    assert np.isfinite(prepare.transform(wide)).all()


def test_a_missing_category_is_one_of_its_own(wide):
    prepare = make_preprocessing(wide).fit(wide)
    column = list(prepare.get_feature_names_out()).index(f"encode_category__grade 1_{MISSING}")
    np.testing.assert_array_equal(prepare.transform(wide)[:, column], wide["grade 1"].isna())


def test_a_category_that_a_fold_has_not_is_no_error_in_it(wide):
    X, _, y, _ = split(wide)
    rare = wide["grade 0"].value_counts().idxmin()
    assert (X["grade 0"] == rare).sum() < 5
    scores = cross_validate(make_pipeline("logreg", wide), X, y, cv=folds(), error_score="raise")
    assert np.isfinite(scores["test_score"]).all()


def test_a_category_that_the_table_has_not_is_an_error(wide):
    prepare = make_preprocessing(wide).fit(wide)
    with pytest.raises(ValueError, match="Found unknown categories"):
        prepare.transform(wide.head(2).assign(**{"grade 0": "Atlantis"}))


def test_the_listed_categories_change_no_figure_of_the_bank(sample):
    X, X_test, y, _ = sample
    for name in ("logreg", "knn"):
        inferred, listed = (make_pipeline(name, table).fit(X, y) for table in (None, X))
        np.testing.assert_array_equal(inferred.predict_proba(X_test), listed.predict_proba(X_test))
        assert list(listed.named_steps) == [PREPARE, CLASSIFY]
