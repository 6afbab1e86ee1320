"""What a training leaves on its model run: the MLflow model, the pickle, a script, results and plots."""

import pickle
import tempfile
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
import skops.io
from matplotlib.figure import Figure
from mlflow.models import ModelSignature, infer_signature
from sklearn.pipeline import Pipeline

from helpers.tracking.script_export import pipeline_source

REQUIREMENTS = [
    f"{name}=={version(name)}" for name in ("mlflow", "scikit-learn", "skops", "pandas", "numpy", "scipy")
]

# skops loads only what it trusts. These come from scikit-learn's and NumPy's own compiled or core code and
# were read; a model that holds anything else is refused by `trusted_types`. The list keeps accidents out,
# it is no security boundary (whoever writes the model file writes the list): the registry's digest is.
TRUSTED_TYPES = {
    "numpy.dtype",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
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


def trusted_types(model: Pipeline) -> list[str]:
    """Return the reviewed types that this model holds, to be passed to MLflow as ``skops_trusted_types``.

    Raises
    ------
    ValueError
        If it holds a type that nobody reviewed; the message names it and where to add it.
    """
    held = set(skops.io.get_untrusted_types(data=skops.io.dumps(model)))
    if unknown := sorted(held - TRUSTED_TYPES):
        raise ValueError(
            f"the model holds types that are not reviewed for the safe format: {', '.join(unknown)}. "
            "Read them, then add them to TRUSTED_TYPES in helpers/tracking/artifacts.py."
        )
    return sorted(held)


def signature_of(model: Pipeline, X: pd.DataFrame) -> ModelSignature:
    """Return the MLflow signature: the feature columns in, the two classes' probabilities out."""
    return infer_signature(X.head(5), model.predict_proba(X.head(5)))


def log_model(run_id: str, model: Pipeline, X: pd.DataFrame, metadata: dict | None = None) -> str:
    """Log a fitted pipeline as the MLflow model named ``model`` of a run, in the safe (skops) format.

    Loaded as ``pyfunc`` it answers with probabilities of shape (n_customers, 2).

    Parameters
    ----------
    run_id : str
        The model run; it need not be active.
    model : Pipeline
        Fitted.
    X : DataFrame
        Feature columns; the first rows become the input example.
    metadata : dict, optional
        Kept in the model's MLmodel file.

    Returns
    -------
    str
        The logged model's URI, ``models:/<model id>``.
    """
    info = mlflow.sklearn.log_model(
        model,
        name="model",
        run_id=run_id,
        serialization_format="skops",
        skops_trusted_types=trusted_types(model),
        signature=signature_of(model, X),
        input_example=X.head(5),
        pip_requirements=REQUIREMENTS,
        pyfunc_predict_fn="predict_proba",
        metadata=metadata,
    )
    return f"models:/{info.model_id}"


def log_files(
    client: mlflow.MlflowClient,
    run_id: str,
    model: Pipeline,
    title: str,
    cv_results: dict,
    figures: dict[str, Figure],
) -> None:
    """Log the pickle, the stand-alone script, the search's table and the plots on a run.

    Parameters
    ----------
    client : MlflowClient
    run_id : str
    model : Pipeline
        Fitted.
    title : str
        What the model is, for the script's docstring.
    cv_results : dict
        The search's ``cv_results_``.
    figures : dict
        Figure by file name without ending; each becomes ``plots/<name>.png``.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("pickle", "pipeline", "plots"):
            (root / name).mkdir()
        (root / "pickle" / "model.pkl").write_bytes(pickle.dumps(model))
        (root / "pipeline" / "pipeline.py").write_text(pipeline_source(model, title, REQUIREMENTS))
        pd.DataFrame(cv_results).to_csv(root / "cv_results.csv", index=False)
        for name, figure in figures.items():
            figure.savefig(root / "plots" / f"{name}.png", dpi=120, bbox_inches="tight")
        client.log_artifacts(run_id, folder)
