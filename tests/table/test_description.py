"""What a description may say: every contradiction is one message with its place and what to do."""

import pytest

from helpers.errors import DescriptionError
from helpers.table import read_description

SHOP = """
name: shop
identifiers: [id]
key: id
target:
  {column: left, outcome: loss, negative: {value: No, label: stays}, positive: {value: Yes, label: leaves}}
features:
  age: {role: numeric, range: [0, 9]}
  kind: {role: categorical, values: [a, b]}
  card: {role: binary}
"""


@pytest.fixture
def described(tmp_path):
    """Return a function that reads the shop's description with one text replaced."""

    def read(old: str = "", new: str = ""):
        assert old in SHOP
        path = tmp_path / "shop.yaml"
        path.write_text(SHOP.replace(old, new, 1) if old else SHOP, encoding="utf-8")
        return read_description(path)

    return read


@pytest.fixture
def problems(described):
    """Return a function that gives the problems of such a description."""

    def read(old: str, new: str) -> list[str]:
        with pytest.raises(DescriptionError) as error:
            described(old, new)
        first, *rest = str(error.value).split("\n  - ")
        assert first.endswith("shop.yaml is not a usable description:")
        return rest

    return read


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("name: shop", "title: Shop", "name: the key is missing"),
        (
            "name: shop",
            "name: My Shop",
            "name: must be lower-case letters, digits and _, beginning with a letter",
        ),
        ("name: shop", f"name: {'a' * 51}", "at most 50 in all, not 'aaa"),
        ("name: shop", "name: [a]", "name: must be one text, not ['a']"),
        (
            "key: id",
            "kee: id",
            "kee: unknown key. did you mean key? The keys are name, title, experiment, identif",
        ),
        ("key: id", "zzz: id", "zzz: unknown key. The keys are name, title"),
        ("key: id", "key: left", "key: 'left' is not one of the identifiers: add it to them"),
        ("[id]", "id", "identifiers: must be a list such as [a, b], not 'id'"),
        (
            "[id]",
            "[id, age]",
            "column 'age' is named twice: a column is an identifier, a feature or the target",
        ),
        ("[id]", "[id, id]", "column 'id' is named twice"),
        ("column: left", "column: card", "column 'card' is named twice"),
        (
            "card: {",
            "probability: {",
            "column 'probability' has a name that the scores need: rename it, also in",
        ),
        ("column: left", "column: customer", "column 'customer' has a name that the scores need: rename it"),
        ("value: Yes", "value: No", "target: both outcomes have the value 'No'"),
        ("value: Yes", "value: ''", "target.positive.value: it is empty"),
        ("value: Yes, ", "", "target.positive.value: the key is missing"),
        (
            "value: Yes",
            "valeu: Yes",
            "target.positive.valeu: unknown key. did you mean value? The keys are value, l",
        ),
        ("key: id", "sensitive: [sex]", "sensitive: 'sex' is not a feature"),
        ("key: id", "sensitive: [id]", "sensitive: 'id' is not a feature"),
        ("key: id", "costs: 5", "costs: must have keys (missed, wasted), not '5'"),
        ("key: id", "costs: {missed: x}", "costs.missed: must be a number, not 'x'"),
        ("key: id", "costs: {wasted: 0}", "costs.wasted: must be from 1e-6 to 1e12, not '0'"),
        ("key: id", "costs: {wasted: 1e13}", "costs.wasted: must be from 1e-6 to 1e12, not '1e13'"),
        ("key: id", "samples: {customers: a.csv}", "samples.new_customers: the key is missing"),
        ("key: id", "samples: a.csv", "samples: must have keys (customers, new_customers), not 'a.csv'"),
    ],
)
def test_a_wrong_key_is_named_with_its_place(old, new, problem, problems):
    (found,) = (each for each in problems(old, new) if problem in each)
    assert "\n" not in found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "role: binary",
            "role: bool",
            "features.card.role: must be 'numeric', 'categorical' or 'binary', not 'bool'",
        ),
        ("{role: binary}", "{unit: euros}", "features.card.role: the key is missing"),
        (
            "{role: binary}",
            "binary",
            "features.card: must have keys (role, label, unit, range, values, labels, ban",
        ),
        (
            "{role: binary}",
            "{role: binary, lable: x}",
            "features.card.lable: unknown key. did you mean label?",
        ),
        ("[0, 9]", "[9, 0]", "features.age: the range must have its lower end first"),
        ("[0, 9]", "[9, 9]", "features.age: the range must have its lower end first"),
        ("[0, 9]", "[nan, 9]", "features.age.range: must be two finite numbers, [lowest, highest]"),
        ("[0, 9]", "[0, inf]", "features.age.range: must be two finite numbers, [lowest, highest]"),
        ("[0, 9]", "[-1e400, 9]", "features.age.range: must be two finite numbers, [lowest, highest]"),
        ("[0, 9]", "[0, 9], bands: [1, inf]", "features.age.bands.1: must be a finite number, not 'inf'"),
        ("[0, 9]", "[0, 9], bands: [nan]", "features.age.bands.0: must be a finite number, not 'nan'"),
        ("[0, 9]", "[0, 9], bands: [2, 1]", "features.age: the bands' edges must ascend"),
        ("[0, 9]", "[0, 9], bands: [a]", "features.age.bands.0: must be a number, not 'a'"),
        ("[0, 9]", "[0]", "features.age.range: must be two numbers, [lowest, highest]"),
        ("[0, 9]", "[0, 5, 9]", "features.age.range: must be two numbers, [lowest, highest]"),
        ("[0, 9]", "0-9", "features.age.range: must be two numbers, [lowest, highest]"),
        ("[0, 9]", "[0, high]", "features.age.range: must be two numbers, [lowest, highest]"),
        ("[0, 9]", "[0, 9], values: [1, 2]", "features.age: range and values exclude each other: keep one"),
        (
            "role: binary",
            "role: binary, range: [0, 1]",
            "features.card: a range is for a numeric feature, not for a b",
        ),
        (
            "role: binary",
            "role: binary, values: [0, 1]",
            "the values of a binary feature are 0 and 1: leave them out",
        ),
        (
            "values: [a, b]",
            "values: [a]",
            "features.kind: a categorical feature needs its values, two or more",
        ),
        ("values: [a, b]", "values: [a, a]", "features.kind: values has 'a' twice"),
        ("values: [a, b]", "values: a", "features.kind.values: must be a list such as [a, b], not 'a'"),
        ("values: [a, b]", "values: [a, {b: c}]", "features.kind.values.1: must be one text, not {'b': 'c'}"),
        ("values: [a, b]", "values: [a, '']", "features.kind.values.1: it is empty"),
        (
            "range: [0, 9]",
            "values: [1, two]",
            "features.age: the values of a numeric feature must be numbers",
        ),
        ("range: [0, 9]", "values: [1, 1]", "features.age: values has '1' twice: keep one"),
        ("range: [0, 9]", "values: [1, 01]", "features.age: values has '1' and '01', one number: keep one"),
        ("range: [0, 9]", "values: [2, 1, 1.0]", "features.age: values has '1' and '1.0', one number: keep"),
        ("range: [0, 9]", "values: [1, inf]", "features.age: values has 'inf', which is no finite number"),
        ("range: [0, 9]", "values: [nan]", "features.age: values has 'nan', which is no finite number"),
        ("range: [0, 9]", "values: [1e400, 2]", "features.age: values has '1e400', which is no finite num"),
        ("range: [0, 9]", f"values: [{10**400}, 2]", "which is no finite number: leave it out"),
        (
            "[a, b]",
            "[a, b], labels: {c: d}",
            "features.kind: labels has 'c', which is not one of the feature's values",
        ),
        (
            "role: binary",
            "role: binary, labels: {2: d}",
            "features.card: labels has '2', which is not one of the feat",
        ),
        (
            "[0, 9]",
            "[0, 9], labels: {1: d}",
            "features.age: labels has '1', which is not one of the feature's values",
        ),
        (
            "[a, b]",
            "[a, b], labels: a",
            "features.kind.labels: must be names with values such as {a: b}, not 'a'",
        ),
        (
            "[a, b]",
            "[a, b], missing: median",
            "missing must be most_frequent or category for a categorical feature, or",
        ),
        (
            "[0, 9]",
            "[0, 9], missing: category",
            "missing must be median or mean or most_frequent for a numeric",
        ),
        (
            "role: binary",
            "role: binary, missing: mean",
            "missing must be most_frequent for a binary feature, or left",
        ),
    ],
)
def test_a_feature_that_contradicts_itself_is_named(old, new, problem, problems):
    (found,) = problems(old, new)
    assert problem in found and found.startswith("features.")


def test_a_table_without_features_is_refused(problems):
    features = SHOP[SHOP.index("features:") :]
    assert problems(features, "features: {}") == ["features: at least one is needed"]
    assert problems(features, "features:") == ["features: must be names with values such as {a: b}, not ''"]
    assert problems(features, "") == ["features: the key is missing"]


def test_one_message_has_every_problem(problems):
    found = problems(
        SHOP[SHOP.index("features:") :], "features: {a: {role: numeric, range: 5}, b: {}}\nnmae: x"
    )
    assert found[:2] == [
        "features.a.range: must be two numbers, [lowest, highest]",
        "features.b.role: the key is missing",
    ]
    assert found[2].startswith("nmae: unknown key. did you mean name?")
    (found,) = problems("values: [a, b]", "values: [a], range: [1, 0], missing: mean")
    assert found.count("; ") == 3


def test_what_follows_from_the_keys(described):
    shop = described()
    assert (shop.title, shop.experiment, shop.registered_name("knn")) == (
        "",
        "EXP_Shop_Modelling",
        "shop-knn",
    )
    assert shop.columns == ["id", "age", "kind", "card", "left"]
    assert shop.feature_names == ["age", "kind", "card"] == shop.never_missing
    assert (shop.costs.missed, shop.costs.wasted) == (5, 1)
    assert (shop.choices("age"), shop.bounds("age")) == ([], (0, 9))
    assert (shop.choices("card"), shop.choices("left"), shop.choices("id")) == ([0, 1], [0, 1], [])
    assert shop.named_choices("left") == ["No", "Yes"] and not shop.target.is_coded
    assert described("name: shop", "name: my_web_shop").experiment == "EXP_My_Web_Shop_Modelling"
    assert described("name: shop", "name: shop\nexperiment: Mine").experiment == "Mine"


def test_a_models_columns_are_numeric_categorical_and_binary_ones(described):
    shop = described("features:\n", "features:\n  first: {role: binary, missing: most_frequent}\n")
    assert shop.feature_names == ["age", "kind", "first", "card"]
    assert shop.columns[1:3] == ["first", "age"]
    assert shop.never_missing == ["age", "kind", "card"]


def test_numbers_that_are_listed_are_numbers(described):
    shop = described("range: [0, 9]", "values: [1, 2.5, -3, 1e2]")
    assert shop.choices("age") == [1, 2.5, -3, 100]
    assert described("[a, b]", "[01, 1e8, Yes, null, ~]").choices("kind") == ["01", "1e8", "Yes", "null", "~"]
