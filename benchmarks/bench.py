"""Measure this project beside its peers, side by side in one run, and print ratios.

    make bench                                          all of it: half an hour
    python -m benchmarks.bench                          all four algorithms, default grids
    python -m benchmarks.bench --models knn,tree --contenders ours,bare --repeats 3
    python -m benchmarks.bench --contenders ours,bare --rows 10000,30000,100000   how time grows
    python -m benchmarks.bench --tracking               leaf runs a second, tracking alone

``--data`` or ``CHURN_DATA`` names the table (default: the embedded sample). ``--tracking-uri`` sends what
``ours`` tracks to a server; the peers write to a new SQLite file of MLflow's making. Seconds are of this
machine; only the ratios mean anything elsewhere. In benchmarks/RESULTS.md each table replaces its last one.
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
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from benchmarks.contenders import CONTENDERS
from helpers.config import ROOT
from helpers.data import data_path, make_customers
from helpers.training import ALGORITHMS

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
# For the growth with rows: whole default grids would take scikit-learn hours on 100,000 rows.
SMALL_GRIDS = {
    "knn": {"n_neighbors": [5, 15, 31], "weights": ["uniform", "distance"]},
    "logreg": {"C": [0.01, 1], "class_weight": [None, "balanced"]},
    "tree": {"max_depth": [5, 9], "min_samples_leaf": [1, 20]},
    "forest": {"n_estimators": [25, 50, 100], "max_depth": [10]},
}


def measure(contender: str, model: str, data: Path, grid: dict | None, uri: str | None) -> dict:
    """Run one contender in a process of its own, on a new store; return its JSON line."""
    with tempfile.TemporaryDirectory() as folder:
        store = uri if uri and contender == "ours" else f"sqlite:///{folder}/mlflow.db"
        command = [sys.executable, "-m", "benchmarks.contenders", contender, "--model", model]
        command += ["--data", str(data)] + (["--grid", json.dumps(grid)] if grid else [])
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "MLFLOW_TRACKING_URI": store},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


def compare(
    contenders: list[str], models: list[str], data: Path, repeats: int, grids: dict, uri: str | None
) -> list[str]:
    """Time every contender on every algorithm, alternating; return the rows of a Markdown table."""
    times: dict[tuple[str, str], list[float]] = {}
    bar = tqdm(total=repeats * len(models) * len(contenders), desc="measuring", mininterval=1)
    for repeat in range(repeats):
        for model in models:
            scores = set()
            # The order turns around each time, so that a machine that slows down favours nobody.
            for contender in contenders[:: 1 if repeat % 2 == 0 else -1]:
                bar.set_postfix_str(f"{contender} {model}")
                found = measure(contender, model, data, grids.get(model), uri)
                times.setdefault((contender, model), []).append(found["seconds"])
                scores.add(found["cv_f1"])
                bar.update()
            if len(scores) != 1:
                sys.exit(f"{model}: the contenders disagree on the best mean validation F1: {scores}")
    bar.close()
    for contender in contenders:
        runs = [times[contender, model] for model in models]
        times[contender, "all"] = [sum(parts) for parts in zip(*runs, strict=True)]
    peers = [name for name in contenders if name != "ours"]
    head = ["| algorithm | ours | " + " | ".join(f"{p} | ours / {p}" for p in peers) + " |"]
    head.append("|" + " --- |" * (2 + 2 * len(peers)))
    rows = []
    for model in [*models, "all"]:
        own = times["ours", model]
        cells = [model, f"{statistics.median(own):.1f} s"]
        for peer in peers:
            ratios = [a / b for a, b in zip(own, times[peer, model], strict=True)]
            spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if repeats > 1 else ""
            cells += [f"{statistics.median(times[peer, model]):.1f} s"]
            cells += [f"**{statistics.median(ratios):.2f}**{spread}"]
        rows.append("| " + " | ".join(cells) + " |")
    return head + rows


def tracking_rates(leaves: int = 500) -> list[str]:
    """Time how many leaf runs a second are written on SQLite, nothing else going on."""
    rates = {}
    for name in ("ours", "fluent"):
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
            command = [sys.executable, "-m", "benchmarks.tracking_rate", name, str(leaves)]
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
            )
            rates[name] = float(done.stdout.splitlines()[-1])
    head = [
        "| leaf runs a second, SQLite | ours | fluent, one call a value | ratio |",
        "| --- | --- | --- | --- |",
    ]
    ratio = rates["ours"] / rates["fluent"]
    return [*head, f"| {leaves} runs | {rates['ours']:.0f} | {rates['fluent']:.0f} | **{ratio:.1f}** |"]


def record(title: str, what: str, table: list[str]) -> None:
    """Print a table with what was compared, where and when; in RESULTS.md it replaces its last one."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("scikit-learn", "mlflow"))
    setting = f"{what}; {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
    text = "\n".join([f"{setting}, {time.strftime('%Y-%m-%d')}.", "", *table])
    print(f"\n## {title}\n\n{text}\n", flush=True)
    head, *sections = RESULTS.read_text().split("\n## ")
    kept = dict(section.split("\n\n", 1) for section in sections)
    kept[title] = text + "\n"
    parts = [f"## {name}\n\n{body.strip()}\n" for name, body in kept.items()]
    RESULTS.write_text("\n".join([head.strip() + "\n", *parts]))


def main() -> None:
    """Measure, print, and write the table."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--data", help="a CSV (default: CHURN_DATA, else the embedded sample)")
    cli.add_argument("--models", default=",".join(ALGORITHMS))
    cli.add_argument("--contenders", default=",".join(CONTENDERS))
    cli.add_argument("--repeats", type=int, default=2)
    cli.add_argument("--rows", help="numbers of generated rows, comma-separated, with reduced grids")
    cli.add_argument("--tracking", action="store_true", help="only the leaf runs a second")
    cli.add_argument("--tracking-uri", help="a server for what ours tracks")
    options = cli.parse_args()
    models, contenders = options.models.split(","), options.contenders.split(",")
    data = data_path(options.data)
    repeats = f"{options.repeats} alternating repeats"
    if options.tracking:
        record("Tracking alone", "leaf runs written, nothing else going on", tracking_rates())
    elif options.rows:
        for rows in map(int, options.rows.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder, "customers.csv")
                make_customers(rows, seed=1).to_csv(data, index=False)
                table = compare(contenders, models, data, options.repeats, SMALL_GRIDS, options.tracking_uri)
            record(f"{rows:,} customers", f"generated, reduced grids, {repeats}", table)
    else:
        table = compare(contenders, models, data, options.repeats, {}, options.tracking_uri)
        where = "tracked on a server" if options.tracking_uri else "tracked on SQLite"
        record(f"All combinations, {where}", f"{data.name}, default grids, five folds, {repeats}", table)


if __name__ == "__main__":
    main()
