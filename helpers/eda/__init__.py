"""Exploratory analysis: rates of the outcome with intervals, association of features with it, outliers."""

from helpers.eda.groups import FEW, StrongestFeatures, as_groups, bands, strongest_features
from helpers.eda.statistics import feature_strength, outcome_rates, outliers, wilson_interval

__all__ = [
    "FEW",
    "StrongestFeatures",
    "as_groups",
    "bands",
    "feature_strength",
    "outcome_rates",
    "outliers",
    "strongest_features",
    "wilson_interval",
]
