"""The first look at the customers: churn rates, strength of features, outliers, and their plots."""

from helpers.eda.statistics import age_band, churn_rates, feature_strength, outliers, wilson_interval

__all__ = [
    "age_band",
    "churn_rates",
    "feature_strength",
    "outliers",
    "wilson_interval",
]
