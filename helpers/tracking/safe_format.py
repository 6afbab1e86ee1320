"""Which types a stored model may have: the safe format (skops) loads no other."""

import skops.io
from sklearn.pipeline import Pipeline

from helpers.errors import SettingError
from helpers.training import own_types

# skops loads only types that it trusts. These belong to scikit-learn, NumPy, XGBoost and LightGBM and were
# reviewed; of others, only those that the user's algorithms trust. MLflow stores a list of its own beside the
# model, where whoever can change one can change the other: it is not asked.
TRUSTED_TYPES = {
    "numpy.dtype",
    # Calibration: objects that hold fitted estimators and two numbers; their methods are arithmetic.
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    # Gaussian processes: kernels are trees of numbers; their methods are arithmetic.
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{kernel}"
        for kernel in (
            "CompoundKernel",
            "ConstantKernel",
            "DotProduct",
            "Exponentiation",
            "ExpSineSquared",
            "Matern",
            "PairwiseKernel",
            "Product",
            "RBF",
            "RationalQuadratic",
            "Sum",
            "WhiteKernel",
        )
    ),
    # Histogram gradient boosting: arrays of nodes, read by compiled code of scikit-learn.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    # Neural networks: the state of the training, numbers and arrays; predictions do not use it.
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    # A tuned threshold: the default scorer and what it asks for; predictions do not use it.
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
    "sklearn.tree._tree.Tree",
    # Voting and stacking: a dictionary of fitted estimators.
    "sklearn.utils._bunch.Bunch",
    # Boosting: the estimators hold parameters and a Booster, whose state is the library's own model format
    # (XGBoost: UBJSON, LightGBM: text), parsed by its compiled code; no pickle is inside. The names do no
    # harm where the packages are not installed. OrderedDict is LightGBM's factory of empty entries.
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    *(
        f"sklearn.metrics._dist_metrics.{metric}Distance64"
        for metric in (
            "Euclidean",
            "Manhattan",
            "Chebyshev",
            "Minkowski",
            "SEuclidean",
            "Mahalanobis",
            "Canberra",
        )
    ),
}


def allowed_types() -> set[str]:
    """Return every type that may be stored and loaded: the reviewed ones, and those of the user's algorithms.

    Raises
    ------
    SettingError
        If the user's algorithms cannot be loaded.
    """
    return TRUSTED_TYPES | own_types()


def trusted_types(model: Pipeline) -> list[str]:
    """Return the allowed types in this model, to be passed to MLflow as ``skops_trusted_types``.

    Raises
    ------
    SettingError
        If the model has another type, or one that the format cannot hold; the message says what to do.
    """
    try:
        types = set(skops.io.get_untrusted_types(data=skops.io.dumps(model)))
    except Exception as error:
        raise SettingError(
            f"the safe format (skops) cannot hold the model: {error}. Use functions and classes of a module."
        ) from error
    if unreviewed := sorted(types - allowed_types()):
        raise SettingError(
            f"the model has types that are not reviewed for the safe format: {', '.join(unreviewed)}. "
            "Review them, then name them in trusted_types of the Algorithm."
        )
    return sorted(types)
