from dataclasses import replace

import pytest

from helpers.monitoring.findings import Finding, adjust_and_grade


@pytest.fixture
def finding() -> Finding:
    return Finding("distribution", "Age", "PSI", 0.4, 0.02, "Age: PSI 0.40")


def test_a_large_effect_that_may_be_chance_is_no_alarm(finding):
    assert adjust_and_grade([finding])[0].level == "keep"


def test_the_level_of_a_significant_finding_follows_from_its_effect(finding):
    significant = [replace(finding, p_value=1e-9, effect=effect) for effect in (0.05, 0.1, 0.3)]
    assert [f.level for f in adjust_and_grade(significant)] == ["keep", "watch", "retrain"]


def test_more_tests_make_a_finding_less_significant(finding):
    alone = replace(finding, p_value=0.005)
    assert adjust_and_grade([alone])[0].level == "retrain"
    several = adjust_and_grade([alone, replace(finding, p_value=0.5), replace(finding, p_value=0.9)])
    assert (several[0].level, several[0].p_adjusted) == ("keep", pytest.approx(0.015))


def test_a_reason_names_limit_and_p_value(finding):
    severe, medium = adjust_and_grade(
        [replace(finding, p_value=1e-9), replace(finding, p_value=0.001, effect=0.2)]
    )
    assert severe.reason == "Age: PSI 0.40 (retrain from 0.25; adjusted p < 0.0001)"
    assert medium.reason == "Age: PSI 0.40 (watch from 0.1; adjusted p = 0.0010)"


@pytest.mark.parametrize(
    ("check", "measure", "effect", "label"),
    [
        ("distribution", "PSI", 0.444, "PSI 0.44"),
        ("missing values", "share", 0.257, "missing 25.7%"),
        ("performance", "drop", -0.001, "drop 0.00"),
        ("performance", "rise", -0.05, "rise -5.0%"),
    ],
)
def test_labels_are_short_and_never_minus_zero(finding, check, measure, effect, label):
    assert replace(finding, check=check, measure=measure, effect=effect).effect_label == label
