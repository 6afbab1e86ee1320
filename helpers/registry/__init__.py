"""Model versions: their stages, the gates before promotion, the model in production."""

from helpers.registry.challengers import (
    choose_challenger,
    compare_challengers,
    lead_over_others,
    paired_test,
    validation_scores,
)
from helpers.registry.gates import Gate, all_passed, run_gates
from helpers.registry.production import (
    CONTACT,
    SKIP,
    ProductionModel,
    load_production_model,
    require_production_version,
)
from helpers.registry.production_stage import history, promote, roll_back
from helpers.registry.promotion import PromotionDecision, decide, log_promotion, read_promotion
from helpers.registry.settings import PromotionSettings
from helpers.registry.stages import archive, reconcile, register
from helpers.registry.training_data import not_in_production_training, training_data_path
from helpers.registry.training_runs import training_run
from helpers.registry.versions import (
    check_production_table,
    get_version,
    input_example,
    list_versions,
    load_pyfunc,
    load_version,
    production_version,
    staging_version,
)

__all__ = [
    "CONTACT",
    "SKIP",
    "Gate",
    "ProductionModel",
    "PromotionDecision",
    "PromotionSettings",
    "all_passed",
    "archive",
    "check_production_table",
    "choose_challenger",
    "compare_challengers",
    "decide",
    "get_version",
    "history",
    "input_example",
    "lead_over_others",
    "list_versions",
    "load_production_model",
    "load_pyfunc",
    "load_version",
    "log_promotion",
    "not_in_production_training",
    "paired_test",
    "production_version",
    "promote",
    "read_promotion",
    "reconcile",
    "register",
    "require_production_version",
    "roll_back",
    "run_gates",
    "staging_version",
    "training_data_path",
    "training_run",
    "validation_scores",
]
