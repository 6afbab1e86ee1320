"""Exploratory analysis: churn rates with intervals, association of features with churn, outliers."""

from helpers.eda.statistics import age_band, churn_rates, feature_strength, outliers, wilson_interval

__all__ = [
    "age_band",
    "churn_rates",
    "feature_strength",
    "outliers",
    "wilson_interval",
]
