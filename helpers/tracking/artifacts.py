"""What a training logs on its model run: the MLflow model, the pickle, a script, results and plots."""

import pickle
import shutil
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array
from sklearn.pipeline import Pipeline

from helpers.config import PACKAGES
from helpers.table import current_table, description_path
from helpers.tracking.runs import logged_reader
from helpers.tracking.safe_format import trusted_types
from helpers.tracking.script_export import pipeline_source
from helpers.training import file_with

if TYPE_CHECKING:
    from matplotlib.figure import Figure


TABLE = "table"  # in the metadata of a logged model: what it and its scores depend on
REQUIREMENTS = [f"{name}=={version(name)}" for name in PACKAGES]


def requirements(types: Iterable[str]) -> list[str]:
    """Return the pinned packages that a model needs: `REQUIREMENTS`, and those of its further types.

    Parameters
    ----------
    types : iterable of str
        Dotted names, from `trusted_types`: what is not scikit-learn's own is among them.
    """
    modules = {name.split(".")[0] for name in types} - sys.stdlib_module_names
    # A type of this project comes with the project, which is on no package index; a file's with the file.
    further = modules - {"sklearn", "numpy", "helpers"}
    if not further:
        return REQUIREMENTS
    distributions = packages_distributions()
    names = {name for module in further for name in distributions.get(module, [])} - {*PACKAGES}
    return REQUIREMENTS + [f"{name}=={version(name)}" for name in sorted(names)]


def signature_of(model: Pipeline, X: pd.DataFrame) -> ModelSignature:
    """Return the MLflow signature: the feature columns in, one list of probabilities per customer out.

    The output is declared as what ``spark_udf`` can return whole, so that its caller names no type: for
    ``double`` it would take the leftmost number, which is not the probability of churn.
    """
    name = f"probabilities of {', '.join(current_table().outcomes)}"
    outputs = Schema([ColSpec(Array(DataType.double), name=name)])
    return ModelSignature(infer_signature(X.head(5)).inputs, outputs)


def log_model(run_id: str, model: Pipeline, X: pd.DataFrame, metadata: dict | None = None) -> str:
    """Log a fitted pipeline as the MLflow model named ``model`` of a run, in the safe (skops) format.

    Loaded as ``pyfunc``, it predicts probabilities of shape (n_customers, 2).

    Parameters
    ----------
    run_id : str
        The model run; it need not be active.
    model : Pipeline
        Fitted.
    X : DataFrame
        Feature columns; the first rows become the input example.
    metadata : dict, optional
        Stored in the model's MLmodel file, beside the ``meaning`` of the table in use.

    Returns
    -------
    str
        The logged model's URI, ``models:/<model id>``.
    """
    types = trusted_types(model)
    info = mlflow.sklearn.log_model(
        model,
        name="model",
        run_id=run_id,
        serialization_format="skops",
        skops_trusted_types=types,
        signature=signature_of(model, X),
        input_example=X.head(5),
        pip_requirements=requirements(types),
        pyfunc_predict_fn="predict_proba",
        metadata={TABLE: current_table().meaning, **(metadata or {})},
    )
    return f"models:/{info.model_id}"


def log_files(
    client: mlflow.MlflowClient,
    run_id: str,
    model: Pipeline,
    title: str,
    cv_results: dict,
    plots: dict[str, "Figure"],
) -> None:
    """Log the pickle, the standalone script, the table's description, the search's table and the plots.

    Beside the script is the user's file of algorithms, if it defines a type in the model.

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
    plots : dict
        Figure by file name without extension; each becomes ``plots/<name>.png``.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("pickle", "pipeline", "plots"):
            (root / name).mkdir()
        (root / "pickle" / "model.pkl").write_bytes(pickle.dumps(model))
        types = trusted_types(model)
        needed = requirements(types)
        if own := file_with(types):
            shutil.copy(own, root / "pipeline")
            needed = [*needed, f"{own.name} beside this file"]
        script = pipeline_source(model, title, needed, logged_reader(client, run_id))
        (root / "pipeline" / "pipeline.py").write_text(script)
        shutil.copy(description_path(), root / "table.yaml")
        pd.DataFrame(cv_results).to_csv(root / "cv_results.csv", index=False)
        for name, figure in plots.items():
            figure.savefig(root / "plots" / f"{name}.png", dpi=120, bbox_inches="tight")
        client.log_artifacts(run_id, folder)
