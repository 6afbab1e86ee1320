"""One contender on one algorithm, in a process of its own; prints one JSON line.

    python -m benchmarks.contenders ours --model knn --data CSV [--grid JSON]

All get the same table, folds, scores, grid and cores; the clock starts after imports, loading and making the
store.
"""

import argparse
import json
import resource
import time
import warnings

from joblib.externals.loky import get_reusable_executor

from helpers.data import data_path, load, split
from helpers.training import make_grid

CONTENDERS = ("ours", "bare", "fluent", "autolog")


def main() -> None:
    """Time one contender."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("contender", choices=CONTENDERS)
    cli.add_argument("--model", required=True)
    cli.add_argument("--data")
    cli.add_argument("--grid")
    options = cli.parse_args()
    warnings.filterwarnings("ignore")
    # The peers must not get what this project does to SQLite, so its store is not even imported for them.
    if options.contender == "ours":
        from benchmarks import this_project as module
    else:
        from benchmarks import baselines as module
    source = data_path(options.data)
    part = split(load(source))
    grid = make_grid(options.model, options.grid)
    module.open_store()
    began = time.perf_counter()
    score = getattr(module, options.contender)(options.model, grid, part, source)
    seconds = time.perf_counter() - began
    cpu = sum(
        resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(json.dumps({"seconds": seconds, "cpu": cpu, "cv_f1": round(float(score), 12)}), flush=True)
    # joblib's idle workers would hold this process's output open for minutes.
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


if __name__ == "__main__":
    main()
