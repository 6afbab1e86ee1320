"""Synthetic customers of a telecom.

The numbers below are made up: plausible shares and quantiles, and a logistic risk with thresholds and
interactions, so that a forest finds more to learn than a logistic regression. Values are missing at random.
"""

import numpy as np
import pandas as pd
from scipy.special import expit

# Share of customers that have been here for fewer months.
MONTHS, FEWER = [0, 4, 9, 17, 28, 42, 60, 84, 121], [0, 0.13, 0.24, 0.37, 0.50, 0.64, 0.78, 0.90, 1]
SENIOR = 0.16
REGIONS = ["Center", "East", "North", "South", "West"]
REGION_UP_TO = [0.15, 0.33, 0.56, 0.81]  # in the first region, in the first two, ...

# Contracts by months: newcomers have short ones.
CONTRACTS = ["Month-to-month", "One year", "Two years"]
CONTRACT_MONTHS = [0, 12, 36, 72, 120]
MONTHLY, UP_TO_ONE_YEAR = [0.80, 0.64, 0.50, 0.36, 0.28], [0.95, 0.88, 0.78, 0.66, 0.56]

# What is booked: internet and lines for others and seniors, streaming by internet.
INTERNET = ["None", "DSL", "Fiber"]
INTERNET_UP_TO = [[0.15, 0.52], [0.34, 0.76]]
LINES_UP_TO = [[0.55, 0.81, 0.93], [0.72, 0.94, 0.99]]
STREAMING = [0, 0.32, 0.58]

# Use, as quantiles: gigabytes by internet, more with streaming; minutes abroad.
DATA_SHARES = [0, 0.10, 0.25, 0.50, 0.75, 0.90, 0.98, 1]
DATA: list[list[float]] = [
    [0, 0.5, 2, 5, 11, 20, 38, 60],
    [2, 15, 35, 70, 120, 180, 260, 320],
    [5, 40, 80, 140, 230, 350, 500, 650],
]
DATA_STREAMING = 1.4
ROAMING_SHARES, ROAMING = [0, 0.60, 0.80, 0.93, 0.99, 1], [0, 0, 30, 110, 260, 400]
CALLS_UP_TO = [  # at most 0, 1, 2, 3, 4 support calls, by internet
    [0.55, 0.80, 0.91, 0.960, 0.985],
    [0.40, 0.65, 0.80, 0.910, 0.965],
    [0.45, 0.70, 0.83, 0.930, 0.975],
]

# Euros: by internet, for each more line, for streaming, and the rest of the bill; longer contracts pay less.
CHARGE, CHARGE_LINE, CHARGE_STREAMING = [18, 33, 52], 9, 12
CHARGE_SHARES, CHARGE_REST = [0, 0.05, 0.25, 0.50, 0.75, 0.95, 1], [-8, -5, -2, 0, 4, 14, 28]
DISCOUNT = [1, 0.93, 0.87]

PAYMENTS, PAYMENT_UP_TO = ["Bank transfer", "Credit card", "Invoice", "Wallet"], [0.32, 0.58, 0.80]
PAPERLESS = [0.68, 0.41]  # others, seniors
DATA_MISSING, PAYMENT_MISSING = 0.04, 0.03

# Log-odds of churn. By months: newcomers without a contract leave; others when their first contract ends.
RISK_MONTHS = [0, 6, 11, 12, 15, 23, 24, 27, 60, 120]
RISK_BY_CONTRACT = [
    [0.2, 0.1, -0.2, -0.2, -0.3, -0.6, -0.6, -0.7, -1.4, -2.0],
    [-3.2, -3.2, -2.8, 0.8, 0.4, -2.2, -1.2, -2.2, -2.9, -3.2],
    [-3.8, -3.8, -3.8, -3.6, -3.6, -3.0, 0.3, -1.2, -3.4, -3.6],
]
# Added to that: by support calls; the more gigabytes on DSL, which is slow, and the fewer on fiber, which is
# paid for nothing; by euros where no contract binds; other features.
RISK_CALLS = [0.0, 0.0, 0.3, 2.0, 2.9, 3.3]
DSL_SLOW, RISK_DSL_SLOW = (90, 130), 2.9
FIBER_UNUSED, RISK_FIBER_UNUSED = (80, 120), 2.7
HIGH_BILL, RISK_HIGH_BILL = (50, 70), 1.2
RISK_LINES = [0.3, 0.0, -0.5, -0.8]
RISK_STREAMING, RISK_INVOICE, RISK_EAST, RISK_SENIOR_PAPERLESS = -0.4, 0.5, 0.6, 0.7
RISK_ALL = -1.95

SHIFTS = {
    "covariate": "bills are up to 30% higher, and customers use up to twice as much data",
    "concept": "other customers churn: long-standing ones and those with streaming instead of newcomers",
    "missing": "this share of monthly charges is missing",
    "category": "this share of customers has internet by satellite, which is new",
}

DRAWS = ["Customer ID", "Tenure Months", "Contract", "Internet", "Streaming", "No. of Lines", "Data GB"]
DRAWS += ["Roaming (min)", "Support Calls", "Monthly Charges", "Payment", "Paperless", "Region", "Senior"]
DRAWS += ["Churn", "Data missing", "Payment missing", "Charge missing", "Satellite"]
KEY, ID_PREFIX, FIRST_ID = "Customer ID", "T-", 300_000


def customers(
    draw: dict[str, np.ndarray], id_numbers: np.ndarray, strength: dict[str, float]
) -> pd.DataFrame:
    """Return the table of customers; see `helpers.data.synthetic.Generator`."""
    features = _features(draw)
    features["Monthly Charges"] *= 1 + 0.3 * strength["covariate"]
    features["Data GB"] *= 1 + strength["covariate"]
    churn = expit(_risk(features))
    churn += strength["concept"] * (expit(_risk_after_concept_shift(features)) - churn)

    table = pd.DataFrame(
        {
            KEY: [f"{ID_PREFIX}{number:09d}" for number in id_numbers],
            **features,
            "Data GB": features["Data GB"].round(1),
            "Monthly Charges": features["Monthly Charges"].round(2),
            "Churn": np.where(draw["Churn"] < churn, "Yes", "No"),
        }
    )
    table["Data GB"] = table["Data GB"].mask(draw["Data missing"] < DATA_MISSING)
    table["Payment"] = table["Payment"].mask(draw["Payment missing"] < PAYMENT_MISSING)
    table["Monthly Charges"] = table["Monthly Charges"].mask(draw["Charge missing"] < strength["missing"])
    table["Internet"] = table["Internet"].mask(draw["Satellite"] < strength["category"], "Satellite")
    return table


def _features(draw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the features without a shift, amounts not yet rounded, in the table's order."""
    months = np.interp(draw["Tenure Months"], FEWER, MONTHS).astype("int64")
    senior = (draw["Senior"] < SENIOR).astype("int64")
    monthly, up_to_year = (np.interp(months, CONTRACT_MONTHS, share) for share in (MONTHLY, UP_TO_ONE_YEAR))
    contract = (draw["Contract"] >= monthly) * 1 + (draw["Contract"] >= up_to_year)
    internet = _drawn(draw["Internet"], np.array(INTERNET_UP_TO)[senior])
    lines = 1 + _drawn(draw["No. of Lines"], np.array(LINES_UP_TO)[senior])
    streaming = (draw["Streaming"] < np.take(STREAMING, internet)).astype("int64")
    data = np.choose(internet, [np.interp(draw["Data GB"], DATA_SHARES, quantiles) for quantiles in DATA])
    charge = np.take(CHARGE, internet) + CHARGE_LINE * (lines - 1) + CHARGE_STREAMING * streaming
    charge = charge + np.interp(draw["Monthly Charges"], CHARGE_SHARES, CHARGE_REST)
    return {
        "Tenure Months": months,
        "Contract": np.take(CONTRACTS, contract),
        "Internet": np.take(INTERNET, internet),
        "Streaming": streaming,
        "No. of Lines": lines,
        "Data GB": data * np.where(streaming, DATA_STREAMING, 1),
        "Roaming (min)": np.interp(draw["Roaming (min)"], ROAMING_SHARES, ROAMING).astype("int64"),
        "Support Calls": _drawn(draw["Support Calls"], np.array(CALLS_UP_TO)[internet]),
        "Monthly Charges": charge * np.take(DISCOUNT, contract),
        "Payment": np.take(PAYMENTS, _drawn(draw["Payment"], PAYMENT_UP_TO)),
        "Paperless": (draw["Paperless"] < np.take(PAPERLESS, senior)).astype("int64"),
        "Region": np.take(REGIONS, _drawn(draw["Region"], REGION_UP_TO)),
        "Senior": senior,
    }


def _drawn(uniform: np.ndarray, up_to: np.ndarray | list[float]) -> np.ndarray:
    """Return which of several values is drawn, given the share of those up to each but the last."""
    return (uniform[:, None] >= np.asarray(up_to)).sum(axis=1)


def _risk(features: dict[str, np.ndarray]) -> np.ndarray:
    """Return the log-odds of churn."""
    data, contract, internet = features["Data GB"], features["Contract"], features["Internet"]
    risk = RISK_ALL + np.take(RISK_CALLS, features["Support Calls"])
    for name, by_month in zip(CONTRACTS, RISK_BY_CONTRACT, strict=True):
        risk += (contract == name) * np.interp(features["Tenure Months"], RISK_MONTHS, by_month)
    risk += (internet == "DSL") * np.interp(data, DSL_SLOW, [0, RISK_DSL_SLOW])
    risk += (internet == "Fiber") * np.interp(data, FIBER_UNUSED, [RISK_FIBER_UNUSED, 0])
    high_bill = np.interp(features["Monthly Charges"], HIGH_BILL, [0, RISK_HIGH_BILL])
    risk += (contract == "Month-to-month") * high_bill
    risk += np.take(RISK_LINES, features["No. of Lines"] - 1)
    risk += RISK_STREAMING * features["Streaming"] + RISK_INVOICE * (features["Payment"] == "Invoice")
    risk += RISK_EAST * (features["Region"] == "East")
    return risk + RISK_SENIOR_PAPERLESS * features["Senior"] * features["Paperless"]


def _risk_after_concept_shift(features: dict[str, np.ndarray]) -> np.ndarray:
    return -2.47 + 2 * (features["Tenure Months"] - 30) / 40 + 1.5 * features["Streaming"]
