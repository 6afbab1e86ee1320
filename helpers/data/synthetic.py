"""Synthetic bank customers: any number, reproducible, and shifted away from the usual when asked.

No real customer is in here. The figures below are aggregates of the public bank-churn table (shares,
quantiles, the log-odds of a logistic risk), so that models find about as much to learn here as there.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from helpers.data.schema import COLUMNS
from helpers.errors import SettingError

# The sample in data/bank_churn.csv.
SAMPLE_ROWS, SAMPLE_SEED = 10_000, 3

# Share of customers younger than each age.
AGES = [18, 23, 26, 29, 32, 35, 38, 41, 44, 47, 50, 53, 56, 59, 62, 65, 68, 71, 76, 81, 93]
YOUNGER = [0, 0.0226, 0.0611, 0.1293, 0.2372, 0.3679, 0.5087, 0.6419, 0.7403, 0.8115, 0.8605, 0.8960]
YOUNGER += [0.9200, 0.9412, 0.9589, 0.9718, 0.9808, 0.9867, 0.9955, 0.9988, 1]
ACTIVE_AGES = [20, 30, 45, 51, 57, 63, 68, 80]
ACTIVE_SHARE = [0.54, 0.505, 0.445, 0.52, 0.63, 0.72, 0.82, 0.93]

# Shares as [at a usual age, in mid-life]: customers around fifty live elsewhere and hold other products and
# balances, the more so when they are not active. MIDLIFE says how far an age is from the one to the other.
MIDLIFE_AGES, MIDLIFE = [30, 40, 46, 52, 58, 64, 70], [0, 0.3, 0.7, 1, 0.8, 0.4, 0]
MIDLIFE_INACTIVE, MIDLIFE_ACTIVE = 1.4, 0.6
COUNTRIES = ["France", "Germany", "Spain"]
COUNTRY_UP_TO = [[0.519, 0.748], [0.452, 0.768]]  # lives in France, in France or Germany
MALE = [[0.563, 0.540, 0.575], [0.515, 0.495, 0.525]]  # by country
ZERO_BALANCE = [[0.502, 0.0, 0.504], [0.430, 0.0, 0.432]]  # by country
PRODUCTS_UP_TO = [  # at most 1, 2, 3 products: without a balance, with one, with one in Germany
    [[0.175, 0.977, 0.9985], [0.722, 0.991, 0.9985], [0.490, 0.976, 0.996]],
    [[0.440, 0.920, 0.986], [0.735, 0.935, 0.984], [0.670, 0.920, 0.982]],
]
CARD = 0.7055

# Euros and points: normal around a mean, cut at limits; salaries uniform.
BALANCE_MEAN, BALANCE_SPREAD, BALANCE_LIMITS = (
    119_850,
    [31_900, 27_000, 32_300],
    (3_000, 251_000),
)  # spread by country
CREDIT_MEAN, CREDIT_SPREAD, CREDIT_LIMITS = 652, 98, (350, 850)
SALARY_LIMITS = (11, 199_992)

# Log-odds of leaving. By age: a hump in the fifties, far higher for customers who are not active.
RISK_AGES = [18, 30, 40, 46, 52, 58, 65, 75]
RISK_INACTIVE = [-2.50, -2.87, -1.93, -0.69, 0.67, 2.75, 2.80, -0.90]
RISK_ACTIVE = [-3.55, -3.47, -2.42, -1.30, -0.72, -1.33, -2.35, -4.00]
# Added: by number of products, without and with a balance; in Germany, and there with two products; the rest.
RISK_PRODUCTS = [[1.00, -1.92, 2.45, 9.0], [0.0, -0.25, 4.20, 9.0]]
RISK_GERMANY, RISK_GERMANY_TWO = 1.32, -1.46
RISK_FEMALE, RISK_CREDIT, RISK_TENURE = 0.63, -0.06, -0.10  # credit in 100 points, tenure in 5 years

SHIFTS = {
    "covariate": "customers are up to 10 years older, balances up to half as high again",
    "concept": "others leave: the young and well paid instead of the inactive in their fifties",
    "missing": "this share of credit scores is missing",
    "category": "this share of customers lives in Italy, a country never seen before",
}

SURNAMES = """
Adam Albert Alvarez Arnaud Baker Bauer Becker Benoit Berger Bernard Blanc Blanco Boyer Brand Braun Brun
Calvo Castillo Castro Clark Costa Cruz Delgado Diaz Dubois Dupont Durand Evans Faber Fernandez Fischer
Flores Fontaine Fournier Franco Frank Fuchs Garcia Garnier Gauthier Gil Girard Gomez Gonzalez Graf Gross
Guerin Haas Hartmann Henry Hernandez Hoffmann Iglesias Jacob Jimenez Jung Kaiser Keller Klein Koch Kraus
Lambert Lang Laurent Leroy Lopez Lorenz Marin Martin Martinez Mayer Medina Mercier Meyer Michel Moreau
Moreno Morris Muller Navarro Neumann Ortega Ortiz Pascal Perez Peters Petit Ramos Renard Rey Richard
Richter Robert Robin Roche Rodriguez Romero Roux Rubio Ruiz Sanchez Schmidt Schneider Scholz Schubert
Schulz Serrano Simon Soler Sommer Stein Suarez Thomas Torres Turner Vega Vidal Vincent Vogel Wagner
Walter Weber Weiss Werner Winkler Wolf Young Ziegler Zimmermann
""".split()  # noqa: SIM905


def make_customers(n: int, seed: int, shift: Mapping[str, float] | None = None) -> pd.DataFrame:
    """Draw customers.

    Parameters
    ----------
    n : int
        How many; at least 1.
    seed : int
        Not negative. The same seed gives the same customers; another one gives others, with other
        ``CustomerId`` (below ten million customers a seed).
    shift : mapping, optional
        Strength in [0, 1] by name of ``SHIFTS``. What a shift does not touch stays as it was drawn.

    Returns
    -------
    DataFrame of shape (n, 14)
        Typed as ``pandas.read_csv`` would: whole numbers int64, amounts float64, text str.

    Raises
    ------
    ValueError
        If ``n`` or ``seed`` is out of range, a shift is unknown or its strength not in [0, 1].
    """
    shift = {name: 0.0 for name in SHIFTS} | _checked(n, seed, shift)
    # Only uniform numbers, 17 a customer whatever the shift: the same on every machine.
    names = [*COLUMNS, "ZeroBalance", "Italian", "Unscored"]
    draw = dict(zip(names, np.random.default_rng(seed).random((len(names), n)), strict=True))
    everyone = np.arange(n)

    age = np.interp(draw["Age"], YOUNGER, AGES).astype("int64")
    active = draw["IsActiveMember"] < np.interp(age, ACTIVE_AGES, ACTIVE_SHARE)
    midlife = np.interp(age, MIDLIFE_AGES, MIDLIFE) * np.where(active, MIDLIFE_ACTIVE, MIDLIFE_INACTIVE)

    def share(table: list) -> np.ndarray:
        usual, middle = np.array(table)
        return usual + midlife.reshape(n, *[1] * usual.ndim) * (middle - usual)

    country = (draw["Geography"][:, None] >= share(COUNTRY_UP_TO)).sum(axis=1)
    german = country == COUNTRIES.index("Germany")
    male = draw["Gender"] < share(MALE)[everyone, country]
    rich = draw["ZeroBalance"] >= share(ZERO_BALANCE)[everyone, country]
    products = 1 + (draw["NumOfProducts"][:, None] >= share(PRODUCTS_UP_TO)[everyone, rich * 1 + german]).sum(
        axis=1
    )
    balance = BALANCE_MEAN + np.take(BALANCE_SPREAD, country) * ndtri(draw["Balance"])
    balance = rich * np.clip(balance, *BALANCE_LIMITS) * (1 + 0.5 * shift["covariate"])
    credit = np.clip(CREDIT_MEAN + CREDIT_SPREAD * ndtri(draw["CreditScore"]), *CREDIT_LIMITS).astype("int64")
    salary = np.interp(draw["EstimatedSalary"], [0, 1], SALARY_LIMITS)
    tenure = (draw["Tenure"] * 10 + 0.5).astype("int64")  # 0 and 10 half as often as the others
    age = np.minimum(age + round(10 * shift["covariate"]), AGES[-1] - 1)

    risk = np.where(active, np.interp(age, RISK_AGES, RISK_ACTIVE), np.interp(age, RISK_AGES, RISK_INACTIVE))
    risk += np.array(RISK_PRODUCTS)[rich * 1, products - 1]
    risk += german * (RISK_GERMANY + RISK_GERMANY_TWO * (products == 2))
    risk += RISK_FEMALE * ~male + RISK_CREDIT * (credit - 650) / 100 + RISK_TENURE * (tenure - 5) / 5
    other_risk = -1.55 + 2 * (salary - 100_000) / 100_000 - (age - 35) / 10
    leaves = expit(risk)
    leaves += shift["concept"] * (expit(other_risk) - leaves)

    customers = pd.DataFrame(
        {
            "RowNumber": everyone + 1,
            "CustomerId": 15_000_000 + 10_000_000 * seed + np.argsort(draw["CustomerId"], kind="stable"),
            "Surname": np.take(SURNAMES, (draw["Surname"] * len(SURNAMES)).astype(int)),
            "CreditScore": credit,
            "Geography": np.where(draw["Italian"] < shift["category"], "Italy", np.take(COUNTRIES, country)),
            "Gender": np.where(male, "Male", "Female"),
            "Age": age,
            "Tenure": tenure,
            "Balance": balance.round(2),
            "NumOfProducts": products,
            "HasCrCard": (draw["HasCrCard"] < CARD).astype("int64"),
            "IsActiveMember": active.astype("int64"),
            "EstimatedSalary": salary.round(2),
            "Exited": (draw["Exited"] < leaves).astype("int64"),
        }
    )
    unscored = draw["Unscored"] < shift["missing"]
    return customers.assign(CreditScore=np.where(unscored, np.nan, credit)) if unscored.any() else customers


def _checked(n: int, seed: int, shift: Mapping[str, float] | None) -> dict[str, float]:
    if n < 1 or seed < 0:
        raise SettingError(f"n must be at least 1 and seed not negative, not n={n}, seed={seed}")
    for name, strength in (shift or {}).items():
        if name not in SHIFTS:
            raise SettingError(f"unknown shift {name!r}: choose from {', '.join(SHIFTS)}")
        if not 0 <= strength <= 1:
            raise SettingError(f"the strength of shift {name!r} must be in 0 to 1, not {strength}")
    return dict(shift or {})
