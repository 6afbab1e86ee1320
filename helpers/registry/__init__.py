"""Model versions: their stages, the gates before promotion, the model in production."""

from helpers.registry.challengers import compare_challengers
from helpers.registry.gates import all_passed, fold_scores, paired_test, run_gates
from helpers.registry.production import CONTACT, ProductionModel, load_production_model
from helpers.registry.promotion import log_promotion
from helpers.registry.stages import (
    list_versions,
    load_version,
    production_version,
    promote,
    register,
    roll_back,
)
from helpers.registry.training_data import not_in_production_training, training_data_path

__all__ = [
    "CONTACT",
    "ProductionModel",
    "all_passed",
    "compare_challengers",
    "fold_scores",
    "list_versions",
    "load_production_model",
    "load_version",
    "log_promotion",
    "not_in_production_training",
    "paired_test",
    "production_version",
    "promote",
    "register",
    "roll_back",
    "run_gates",
    "training_data_path",
]
