"""Files outside the repository that some tests use; those tests skip without them."""

import pytest

from helpers.config import ROOT

SHARED = ROOT.parent / "shared"
REAL_DATA = SHARED / "data" / "Churn_Modelling.csv"
BENCH = SHARED / "bench"

needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_file(), reason="the public table is missing: ../shared/data/Churn_Modelling.csv"
)
