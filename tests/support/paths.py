"""Where tests find the real table and the published results, and what to say where they are not."""

import pytest

from helpers.config import ROOT

SHARED = ROOT.parent / "shared"
REAL_DATA = SHARED / "data" / "Churn_Modelling.csv"
BENCH = SHARED / "bench"

needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_file(), reason="the public table is missing: ../shared/data/Churn_Modelling.csv"
)
