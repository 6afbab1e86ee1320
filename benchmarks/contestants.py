"""One contestant on one algorithm, in a process of its own; prints one JSON line.

    python -m benchmarks.contestants this_project --model knn --data CSV [--grid JSON]

All get the same table, folds, scores, grid and cores. The clock starts after imports, loading the table and
creating the store.
"""

import argparse
import json
import resource
import time
import warnings

from joblib.externals.loky import get_reusable_executor

from benchmarks import baselines, this_project
from helpers.data import data_path, load, split
from helpers.training import make_grid

CONTESTANTS = {
    "this_project": this_project.train,
    "gridsearchcv": baselines.gridsearchcv,
    "fluent": baselines.fluent,
    "autolog": baselines.autolog,
}


def main() -> None:
    """Time one contestant."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("contestant", choices=CONTESTANTS)
    cli.add_argument("--model", required=True)
    cli.add_argument("--data")
    cli.add_argument("--grid")
    options = cli.parse_args()
    warnings.filterwarnings("ignore")
    source = data_path(options.data)
    part = split(load(source))
    grid = make_grid(options.model, options.grid)
    (this_project if options.contestant == "this_project" else baselines).create_store()
    start = time.perf_counter()
    score = CONTESTANTS[options.contestant](options.model, grid, part, source)
    seconds = time.perf_counter() - start
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in usage)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "cv_f1": round(float(score), 12)}), flush=True)
    # joblib's idle workers would keep this process's output open for minutes.
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


if __name__ == "__main__":
    main()
