"""Synthetic bank customers.

The numbers below are aggregates of the public bank-churn table (shares, quantiles, the log-odds of a logistic
risk), so that models find about as much to learn here as there.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

# Share of customers younger than each age.
AGES = [18, 23, 26, 29, 32, 35, 38, 41, 44, 47, 50, 53, 56, 59, 62, 65, 68, 71, 76, 81, 93]
YOUNGER = [0, 0.0226, 0.0611, 0.1293, 0.2372, 0.3679, 0.5087, 0.6419, 0.7403, 0.8115, 0.8605, 0.8960]
YOUNGER += [0.9200, 0.9412, 0.9589, 0.9718, 0.9808, 0.9867, 0.9955, 0.9988, 1]
ACTIVE_AGES = [20, 30, 45, 51, 57, 63, 68, 80]
ACTIVE_SHARE = [0.54, 0.505, 0.445, 0.52, 0.63, 0.72, 0.82, 0.93]

# Shares as [at most ages, in midlife]: customers around fifty live elsewhere and hold other products and
# balances, inactive ones even more so. MIDLIFE interpolates between the two.
MIDLIFE_AGES, MIDLIFE = [30, 40, 46, 52, 58, 64, 70], [0, 0.3, 0.7, 1, 0.8, 0.4, 0]
MIDLIFE_INACTIVE, MIDLIFE_ACTIVE = 1.4, 0.6
COUNTRIES = ["France", "Germany", "Spain"]
COUNTRY_UP_TO = [[0.519, 0.748], [0.452, 0.768]]  # in France, in France or Germany
MALE = [[0.563, 0.540, 0.575], [0.515, 0.495, 0.525]]  # by country
ZERO_BALANCE = [[0.502, 0.0, 0.504], [0.430, 0.0, 0.432]]  # by country
PRODUCTS_UP_TO = [  # at most 1, 2, 3 products: without a balance, with one, with one in Germany
    [[0.175, 0.977, 0.9985], [0.722, 0.991, 0.9985], [0.490, 0.976, 0.996]],
    [[0.440, 0.920, 0.986], [0.735, 0.935, 0.984], [0.670, 0.920, 0.982]],
]
CARD = 0.7055

# Euros and points: normal around a mean, clipped; salaries uniform.
BALANCE_MEAN, BALANCE_LIMITS = 119_850, (3_000, 251_000)
BALANCE_SPREAD = [31_900, 27_000, 32_300]  # by country
CREDIT_MEAN, CREDIT_SPREAD, CREDIT_LIMITS = 652, 98, (350, 850)
SALARY_LIMITS = (11, 199_992)

# Log-odds of churn. By age: a hump in the fifties, far higher for inactive customers.
RISK_AGES = [18, 30, 40, 46, 52, 58, 65, 75]
RISK_INACTIVE = [-2.50, -2.87, -1.93, -0.69, 0.67, 2.75, 2.80, -0.90]
RISK_ACTIVE = [-3.55, -3.47, -2.42, -1.30, -0.72, -1.33, -2.35, -4.00]
# Added to that: by number of products, without and with a balance; in Germany, and there with two products;
# other features.
RISK_PRODUCTS = [[1.00, -1.92, 2.45, 9.0], [0.0, -0.25, 4.20, 9.0]]
RISK_GERMANY, RISK_GERMANY_TWO = 1.32, -1.46
RISK_FEMALE, RISK_CREDIT, RISK_TENURE = 0.63, -0.06, -0.10  # credit in 100 points, tenure in 5 years

SHIFTS = {
    "covariate": "customers are up to 10 years older, balances up to 50% higher",
    "concept": "other customers churn: young and well-paid ones instead of inactive ones in their fifties",
    "missing": "this share of credit scores is missing",
    "category": "this share of customers lives in Italy, a country that is new",
}

COLUMNS = ["RowNumber", "CustomerId", "Surname", "CreditScore", "Geography", "Gender", "Age", "Tenure"]
COLUMNS += ["Balance", "NumOfProducts", "HasCrCard", "IsActiveMember", "EstimatedSalary", "Exited"]

DRAWS = [*COLUMNS, "ZeroBalance", "Italian", "Unscored"]
KEY, ID_PREFIX, FIRST_ID = "CustomerId", "", 15_000_000

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


def customers(
    draw: dict[str, np.ndarray], id_numbers: np.ndarray, strength: dict[str, float]
) -> pd.DataFrame:
    """Return the table of customers; see `helpers.data.synthetic.Generator`."""
    features = _features(draw)
    features["Age"] = np.minimum(features["Age"] + round(10 * strength["covariate"]), AGES[-1] - 1)
    features["Balance"] *= 1 + 0.5 * strength["covariate"]
    churn = expit(_risk(features))
    churn += strength["concept"] * (expit(_risk_after_concept_shift(features)) - churn)

    table = pd.DataFrame(
        {
            "RowNumber": np.arange(len(id_numbers)) + 1,
            "CustomerId": id_numbers,
            "Surname": np.take(SURNAMES, (draw["Surname"] * len(SURNAMES)).astype(int)),
            **features,
            "Balance": features["Balance"].round(2),
            "EstimatedSalary": features["EstimatedSalary"].round(2),
            "Exited": (draw["Exited"] < churn).astype("int64"),
        }
    )
    table["Geography"] = table["Geography"].mask(draw["Italian"] < strength["category"], "Italy")
    table["CreditScore"] = table["CreditScore"].mask(draw["Unscored"] < strength["missing"])
    return table


def _features(draw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the ten features without a shift, amounts not yet rounded, in the table's order."""
    age = np.interp(draw["Age"], YOUNGER, AGES).astype("int64")
    active = draw["IsActiveMember"] < np.interp(age, ACTIVE_AGES, ACTIVE_SHARE)
    midlife = np.interp(age, MIDLIFE_AGES, MIDLIFE) * np.where(active, MIDLIFE_ACTIVE, MIDLIFE_INACTIVE)

    def share(table: list) -> np.ndarray:
        usual, middle = np.array(table)
        return usual + midlife.reshape(-1, *[1] * usual.ndim) * (middle - usual)

    rows = np.arange(len(age))
    country = (draw["Geography"][:, None] >= share(COUNTRY_UP_TO)).sum(axis=1)
    male = draw["Gender"] < share(MALE)[rows, country]
    has_balance = draw["ZeroBalance"] >= share(ZERO_BALANCE)[rows, country]
    holding = has_balance * 1 + (country == COUNTRIES.index("Germany"))
    products = 1 + (draw["NumOfProducts"][:, None] >= share(PRODUCTS_UP_TO)[rows, holding]).sum(axis=1)
    balance = BALANCE_MEAN + np.take(BALANCE_SPREAD, country) * ndtri(draw["Balance"])
    credit = np.clip(CREDIT_MEAN + CREDIT_SPREAD * ndtri(draw["CreditScore"]), *CREDIT_LIMITS)
    return {
        "CreditScore": credit.astype("int64"),
        "Geography": np.take(COUNTRIES, country),
        "Gender": np.where(male, "Male", "Female"),
        "Age": age,
        "Tenure": (draw["Tenure"] * 10 + 0.5).astype("int64"),  # 0 and 10 half as often as the others
        "Balance": has_balance * np.clip(balance, *BALANCE_LIMITS),
        "NumOfProducts": products,
        "HasCrCard": (draw["HasCrCard"] < CARD).astype("int64"),
        "IsActiveMember": active.astype("int64"),
        "EstimatedSalary": np.interp(draw["EstimatedSalary"], [0, 1], SALARY_LIMITS),
    }


def _risk(features: dict[str, np.ndarray]) -> np.ndarray:
    """Return the log-odds of churn."""
    age, products = features["Age"], features["NumOfProducts"]
    risk = np.where(
        features["IsActiveMember"] == 1,
        np.interp(age, RISK_AGES, RISK_ACTIVE),
        np.interp(age, RISK_AGES, RISK_INACTIVE),
    )
    risk += np.array(RISK_PRODUCTS)[(features["Balance"] > 0) * 1, products - 1]
    risk += (features["Geography"] == "Germany") * (RISK_GERMANY + RISK_GERMANY_TWO * (products == 2))
    credit = RISK_CREDIT * (features["CreditScore"] - 650) / 100
    tenure = RISK_TENURE * (features["Tenure"] - 5) / 5
    return risk + (RISK_FEMALE * (features["Gender"] == "Female") + credit + tenure)


def _risk_after_concept_shift(features: dict[str, np.ndarray]) -> np.ndarray:
    return -1.55 + 2 * (features["EstimatedSalary"] - 100_000) / 100_000 - (features["Age"] - 35) / 10
