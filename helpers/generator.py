"""Synthetic bank customers: any number, reproducible, and shifted away from the usual when asked.

    python -m helpers.generator --rows 100000 --seed 1 --out customers.csv [--shift covariate=0.5]

No real customer is in here. Every figure below is an aggregate of the public bank-churn table (shares,
quantiles, log-odds of a fitted logistic risk), so that models find about as much to learn as they do there.
"""

import argparse
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from helpers.schema import COLUMNS

# The sample in data/bank_churn.csv.
SAMPLE_ROWS, SAMPLE_SEED = 10_000, 2024

SURNAMES = """Adam Albert Alvarez Arnaud Baker Bauer Becker Bell Benoit Berger Bernard Blanc Blanco Boyer Brand
Braun Brun Bruno Calvo Carter Castillo Castro Clark Collins Cook Costa Cruz Delgado Diaz Dubois Dupont Durand
Evans Faber Fabre Fernandez Fischer Flores Fontaine Fournier Frank Franco Fuchs Garcia Garnier Gauthier Gil
Girard Gomez Gonzalez Graf Gray Green Gross Guerin Haas Hall Hartmann Henry Heinrich Hernandez Hoffmann Hughes
Ibanez Iglesias Jacob Jimenez Jung Kaiser Keller King Klein Koch Kraus Kruger Lambert Lang Laurent Leclerc
Lefebvre Leon Leroy Lopez Lorenz Marin Martin Martinez Mayer Medina Mendez Mercier Meyer Michel Moreau Moreno
Morris Muller Munoz Navarro Neumann Noel Ortega Ortiz Parker Pascal Perez Peters Petit Pfeiffer Pons Price
Prieto Ramirez Ramos Renard Rey Richard Richter Rios Rivera Robert Robin Roche Rodriguez Roger Romero Rossi
Roth Roussel Roux Rubio Ruiz Sanchez Santos Sanz Schmidt Schneider Scholz Schubert Schulz Serrano Simon Soler
Sommer Soto Stein Suarez Taylor Thomas Torres Turner Valentin Vargas Vega Vidal Vincent Vogel Vogt Wagner Walter
Ward Weber Weiss Werner White Winkler Wolf Wood Young Ziegler Zimmermann""".split()

COUNTRIES = ["France", "Germany", "Spain"]
COUNTRY_SHARE = [0.5014, 0.2509, 0.2477]
MALE_SHARE = [0.549, 0.525, 0.560]  # by country
ZERO_BALANCE_SHARE = [0.482, 0.0, 0.484]  # by country
BALANCE_SPREAD = [31_900, 27_000, 32_300]  # euros, by country, around BALANCE_MEAN
BALANCE_MEAN, BALANCE_LIMITS = 119_850, (3_000, 251_000)

# Share of customers with up to 1, 2, 3 products: by country without a balance, by country with one.
PRODUCTS_UP_TO = np.array(
    [
        [[0.252, 0.971, 0.995], [0.0, 0.0, 0.0], [0.246, 0.964, 0.998]],
        [[0.733, 0.975, 0.9935], [0.538, 0.952, 0.990], [0.725, 0.976, 0.996]],
    ]
)

# Share of customers younger than each age.
AGES = [18, 23, 26, 29, 32, 35, 38, 41, 44, 47, 50, 53, 56, 59, 62, 65, 68, 71, 76, 81, 93]
YOUNGER = [0, 0.0226, 0.0611, 0.1293, 0.2372, 0.3679, 0.5087, 0.6419, 0.7403, 0.8115, 0.8605, 0.8960]
YOUNGER += [0.9200, 0.9412, 0.9589, 0.9718, 0.9808, 0.9867, 0.9955, 0.9988, 1]
ACTIVE_AGES = [20, 30, 45, 51, 57, 63, 68, 80]
ACTIVE_SHARE = [0.54, 0.505, 0.445, 0.52, 0.63, 0.72, 0.82, 0.93]

# Log-odds of leaving by age: a hump in the fifties, far higher for customers who are not active.
RISK_AGES = [18, 30, 40, 46, 52, 58, 65, 75]
RISK_INACTIVE = [-2.33, -2.66, -1.67, -0.46, 0.70, 2.36, 2.40, -0.80]
RISK_ACTIVE = [-3.17, -3.32, -2.28, -1.17, -0.70, -1.19, -2.23, -4.00]
# What is added to it: by number of products without and with a balance; by country; by country with 2 products.
RISK_PRODUCTS = [[0.95, -1.81, 2.19, 5.99], [0.0, -0.25, 3.75, 5.99]]
RISK_COUNTRY = [0.0, 1.19, 0.0]
RISK_COUNTRY_TWO = [0.0, -1.41, 0.0]
RISK_FEMALE, RISK_CREDIT, RISK_TENURE = 0.51, -0.06, -0.10

SHIFTS = {
    "covariate": "customers up to 10 years older, balances up to half as high again; who leaves is unchanged",
    "concept": "other customers leave: the young and well-paid instead of the inactive in their fifties",
    "missing": "this share of credit scores is missing",
    "category": "this share of customers lives in a country never seen before, Italy",
}


def make_customers(n: int, seed: int, shift: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Draw customers.

    Parameters
    ----------
    n : int
        How many; at least 1.
    seed : int
        The same seed gives the same customers on any machine; other seeds give other ``CustomerId``.
    shift : mapping, optional
        Strength in [0, 1] by name of ``SHIFTS``. What a shift does not touch stays as it was drawn.

    Returns
    -------
    DataFrame of shape (n, 14)
        Typed as ``read_csv`` would: whole numbers int64, amounts float64, text str.

    Raises
    ------
    ValueError
        If ``n`` or ``seed`` is out of range, or a shift is unknown or its strength is not in [0, 1].
    """
    shift = _checked(n, seed, shift)
    # Uniform draws only, a fixed number per customer: the same everywhere, whatever the shift.
    draw = dict(
        zip([*COLUMNS, "ZeroBalance", "Shift"], np.random.default_rng(seed).random((16, n)), strict=True)
    )
    everyone = np.arange(n)

    country = np.searchsorted(np.cumsum(COUNTRY_SHARE)[:-1], draw["Geography"], side="right")
    male = draw["Gender"] < np.take(MALE_SHARE, country)
    age = np.interp(draw["Age"], YOUNGER, AGES).astype("int64")
    active = draw["IsActiveMember"] < np.interp(age, ACTIVE_AGES, ACTIVE_SHARE)
    has_balance = draw["ZeroBalance"] >= np.take(ZERO_BALANCE_SHARE, country)
    up_to = PRODUCTS_UP_TO[has_balance.astype(int), country]
    products = 1 + (draw["NumOfProducts"][:, None] >= up_to).sum(axis=1)
    balance = BALANCE_MEAN + np.take(BALANCE_SPREAD, country) * ndtri(draw["Balance"])
    balance = np.where(has_balance, np.clip(balance, *BALANCE_LIMITS), 0)
    salary = 11 + 199_980 * draw["EstimatedSalary"]
    credit = np.clip(652 + 98 * ndtri(draw["CreditScore"]), 350, 850).round()
    tenure = np.floor(draw["Tenure"] * 10 + 0.45)  # 0 and 10 half as often as the others

    if strength := shift.get("covariate"):
        age = np.minimum(age + round(10 * strength), 92)
        balance = balance * (1 + 0.5 * strength)
    risk = np.where(active, np.interp(age, RISK_AGES, RISK_ACTIVE), np.interp(age, RISK_AGES, RISK_INACTIVE))
    risk += np.array(RISK_PRODUCTS)[has_balance.astype(int), products - 1]
    risk += np.take(RISK_COUNTRY, country) + (products == 2) * np.take(RISK_COUNTRY_TWO, country)
    risk += RISK_FEMALE * ~male + RISK_CREDIT * (credit - 650) / 100 + RISK_TENURE * (tenure - 5) / 5
    if strength := shift.get("concept"):
        other = -1.5 + 2 * (salary - 100_000) / 100_000 - (age - 35) / 10
        risk = (1 - strength) * risk + strength * other
    exited = draw["Exited"] < expit(risk)

    touched = draw["Shift"]
    names = np.where(touched < shift.get("category", 0), "Italy", np.take(COUNTRIES, country))
    credit = credit.astype("int64")
    if strength := shift.get("missing"):
        credit = np.where((touched * 997) % 1 < strength, np.nan, credit)
    return pd.DataFrame(
        {
            "RowNumber": everyone + 1,
            "CustomerId": 15_000_000 + 10_000_000 * seed + np.argsort(draw["CustomerId"], kind="stable"),
            "Surname": np.take(SURNAMES, (draw["Surname"] * len(SURNAMES)).astype(int)),
            "CreditScore": credit,
            "Geography": names,
            "Gender": np.where(male, "Male", "Female"),
            "Age": age,
            "Tenure": tenure.astype("int64"),
            "Balance": balance.round(2),
            "NumOfProducts": products,
            "HasCrCard": (draw["HasCrCard"] < 0.7055).astype("int64"),
            "IsActiveMember": active.astype("int64"),
            "EstimatedSalary": salary.round(2),
            "Exited": exited.astype("int64"),
        }
    )


def _checked(n: int, seed: int, shift: Mapping[str, float] | None) -> dict[str, float]:
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, not {seed}")
    for name, strength in (shift or {}).items():
        if name not in SHIFTS:
            raise ValueError(f"unknown shift {name!r}: choose from {', '.join(SHIFTS)}")
        if not 0 <= strength <= 1:
            raise ValueError(f"the strength of shift {name!r} must be in 0 to 1, not {strength}")
    return dict(shift or {})


def main(arguments: list[str] | None = None) -> None:
    """Write customers to a CSV (the command line of this module)."""
    shifts = "; ".join(f"{name}: {what}" for name, what in SHIFTS.items())
    cli = argparse.ArgumentParser(
        prog="python -m helpers.generator", description="Write synthetic customers."
    )
    cli.add_argument("--rows", type=int, default=SAMPLE_ROWS)
    cli.add_argument("--seed", type=int, default=SAMPLE_SEED)
    cli.add_argument("--out", required=True, help="the CSV to write")
    cli.add_argument("--shift", action="append", default=[], metavar="NAME=STRENGTH", help=shifts)
    args = cli.parse_args(arguments)
    try:
        shift = {name: float(strength) for name, strength in (item.split("=", 1) for item in args.shift)}
    except ValueError:
        cli.error("write a shift as NAME=STRENGTH, e.g. covariate=0.5")
    try:
        customers = make_customers(args.rows, args.seed, shift)
    except ValueError as error:
        cli.error(str(error))
    customers.to_csv(args.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
