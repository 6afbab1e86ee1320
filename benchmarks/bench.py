"""Measure this project and its alternatives side by side in one run, and print ratios.

    make bench                                          everything: half an hour
    python -m benchmarks.bench                          all four algorithms, default grids
    python -m benchmarks.bench --models knn,tree --contestants this_project,gridsearchcv --repeats 3
    python -m benchmarks.bench --contestants this_project,gridsearchcv --rows 10000,30000,100000
    python -m benchmarks.bench --tracking               child runs per second, tracking alone

``--data`` or ``CHURN_DATA`` names the table (default: the embedded sample). ``--tracking-uri`` sends what
``this_project`` tracks to a server; the others write to a new SQLite file that MLflow creates. Seconds depend
on the machine; only the ratios carry over. Each table replaces its last one in benchmarks/RESULTS.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from benchmarks.contestants import CONTESTANTS
from helpers.config import ROOT
from helpers.data import data_path, make_customers
from helpers.markdown import markdown_table
from helpers.training import algorithms

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
# For the growth with rows: the default grids would take scikit-learn hours on 100,000 rows.
SMALL_GRIDS = {
    "knn": {"n_neighbors": [5, 15, 31], "weights": ["uniform", "distance"]},
    "logreg": {"C": [0.01, 1], "class_weight": [None, "balanced"]},
    "tree": {"max_depth": [5, 9], "min_samples_leaf": [1, 20]},
    "forest": {"n_estimators": [25, 50, 100], "max_depth": [10]},
}

Times = dict[tuple[str, str], list[float]]  # seconds of every repeat, by contestant and algorithm


def run(module: str, arguments: Sequence[str], uri: str | None = None) -> str:
    """Run a module in a process of its own, on a new store or the given one; return its last line."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
        environment = {**os.environ, "MLFLOW_TRACKING_URI": uri or f"sqlite:///{folder}/mlflow.db"}
        process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if process.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{process.stderr}")
        return process.stdout.splitlines()[-1]


def measure(
    contestants: Sequence[str],
    models: Sequence[str],
    data: Path,
    repeats: int,
    grids: dict[str, dict],
    uri: str | None,
) -> Times:
    """Time every contestant on every algorithm, alternating."""
    times: Times = defaultdict(list)
    bar = tqdm(total=repeats * len(models) * len(contestants), desc="measuring", mininterval=1)
    for repeat in range(repeats):
        for model in models:
            scores = set()
            # The order is reversed each time, so that a machine that slows down favors no contestant.
            for contestant in contestants[:: 1 if repeat % 2 == 0 else -1]:
                bar.set_postfix_str(f"{contestant} {model}")
                arguments = [contestant, "--model", model, "--data", str(data)]
                if model in grids:
                    arguments += ["--grid", json.dumps(grids[model])]
                result = json.loads(
                    run("contestants", arguments, uri if contestant == "this_project" else None)
                )
                times[contestant, model].append(result["seconds"])
                scores.add(result["cv_f1"])
                bar.update()
            if len(scores) != 1:
                sys.exit(f"{model}: the contestants disagree on the best mean validation F1: {scores}")
    bar.close()
    for contestant in contestants:
        runs = [times[contestant, model] for model in models]
        times[contestant, "all"] = [sum(parts) for parts in zip(*runs, strict=True)]
    return times


def compare(times: Times, contestants: Sequence[str], models: Sequence[str]) -> pd.DataFrame:
    """Return median seconds, and the median and range of this project's share of the others' time."""
    rows = []
    for model in [*models, "all"]:
        own = times["this_project", model]
        row = {"algorithm": model, "this_project": f"{statistics.median(own):.1f} s"}
        for other in contestants:
            if other == "this_project":
                continue
            ratios = [a / b for a, b in zip(own, times[other, model], strict=True)]
            spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
            row[other] = f"{statistics.median(times[other, model]):.1f} s"
            row[f"this_project / {other}"] = f"**{statistics.median(ratios):.2f}**{spread}"
        rows.append(row)
    return pd.DataFrame(rows)


def tracking_rates(n_runs: int = 500) -> pd.DataFrame:
    """Measure how many child runs per second are written to SQLite, with no training going on."""
    rates = {name: float(run("tracking_rate", [name, str(n_runs)])) for name in ("this_project", "fluent")}
    row = {
        "child runs per second, SQLite": f"{n_runs} runs",
        "this_project": f"{rates['this_project']:.0f}",
        "fluent, one call per value": f"{rates['fluent']:.0f}",
        "ratio": f"**{rates['this_project'] / rates['fluent']:.1f}**",
    }
    return pd.DataFrame([row])


def record(title: str, setting: str, table: pd.DataFrame) -> None:
    """Print a table with what was compared, where and when; in RESULTS.md it replaces its last one."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "mlflow"))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
    text = f"{setting}; {machine}, {time.strftime('%Y-%m-%d')}.\n\n{markdown_table(table)}"
    print(f"\n## {title}\n\n{text}\n", flush=True)
    head, *sections = RESULTS.read_text().split("\n## ")
    tables = dict(section.split("\n\n", 1) for section in sections)
    tables[title] = text
    parts = [f"## {name}\n\n{body.strip()}\n" for name, body in tables.items()]
    RESULTS.write_text("\n".join([head.strip() + "\n", *parts]))


def main() -> None:
    """Measure, print, and write the table."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", help="a CSV (default: CHURN_DATA, else the embedded sample)")
    cli.add_argument("--models", default=",".join(algorithms()))
    cli.add_argument("--contestants", default=",".join(CONTESTANTS))
    cli.add_argument("--repeats", type=int, default=2)
    cli.add_argument("--rows", help="numbers of generated rows, comma-separated, with reduced grids")
    cli.add_argument("--tracking", action="store_true", help="only the child runs per second")
    cli.add_argument("--tracking-uri", help="a server for what this_project tracks")
    options = cli.parse_args()
    models, contestants = options.models.split(","), options.contestants.split(",")
    if "this_project" not in contestants:
        cli.error("the contestants must include this_project")
    repeats = f"{options.repeats} alternating repeats"
    if options.tracking:
        record("Tracking alone", "child runs written, no training going on", tracking_rates())
    elif options.rows:
        for rows in map(int, options.rows.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder, "customers.csv")
                make_customers(rows, seed=1).to_csv(data, index=False)
                times = measure(contestants, models, data, options.repeats, SMALL_GRIDS, options.tracking_uri)
            table = compare(times, contestants, models)
            record(f"{rows:,} customers", f"generated, reduced grids, {repeats}", table)
    else:
        data = data_path(options.data)
        times = measure(contestants, models, data, options.repeats, {}, options.tracking_uri)
        where = "tracked on a server" if options.tracking_uri else "tracked on SQLite"
        setting = f"{data.name}, default grids, five folds, {repeats}"
        record(f"All combinations, {where}", setting, compare(times, contestants, models))


if __name__ == "__main__":
    main()
