# On a fresh machine, `make run` and `make test` do everything.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help install run test lab ui serve bench notebooks lint clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## create the environment in .venv

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is not: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt -e .
	@touch $@

run: $(READY) ## all notebooks headlessly, on the embedded store or MLFLOW_TRACKING_URI
	$(BIN)/churn run

test: $(READY) ## every test and every notebook, stored outputs compared
	$(BIN)/python -m pytest --nbval

lab: $(READY) ## JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

ui: $(READY) ## the MLflow UI on the embedded store, http://127.0.0.1:5000
	$(BIN)/churn ui

serve: $(READY) ## the production model over HTTP, http://127.0.0.1:8080
	$(BIN)/churn serve

bench: $(READY) ## time this project and its alternatives: half an hour
	$(BIN)/python -m benchmarks.bench --tracking
	$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks.bench --contestants this_project,gridsearchcv --repeats 1 --rows 10000,30000,100000

notebooks: $(READY) ## execute the notebooks in place: refreshes their stored outputs
	$(BIN)/python -m tools.refresh_notebooks

lint: $(READY) ## style, layers and types of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

clean: ## remove executed notebooks and caches; keep the store
	rm -rf outputs build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

-include infra/stack.mk
