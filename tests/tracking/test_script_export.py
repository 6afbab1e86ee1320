import ast

import pytest

from helpers.tracking.script_export import pipeline_source
from helpers.training.algorithms import ALGORITHMS, make_pipeline


@pytest.mark.parametrize("name", ALGORITHMS)
def test_script_rebuilds_the_same_pipeline_without_this_package(name):
    pipeline = make_pipeline(name)
    source = pipeline_source(pipeline, name, ["scikit-learn==1.0"])
    imported = {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert not any("helpers" in module or "._" in module for module in imported)
    scope = {"__name__": "script"}
    exec(source, scope)
    assert repr(scope["pipeline"]) == repr(pipeline)
