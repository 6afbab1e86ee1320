"""Print how many leaf runs a second are written: ``python -m benchmarks.tracking_rate ours|fluent 200``."""

import sys

from helpers.data import load, split

if __name__ == "__main__":
    # As in contenders: a peer must not get what this project does to SQLite.
    if sys.argv[1] == "ours":
        from benchmarks import this_project as module
    else:
        from benchmarks import baselines as module
    module.open_store()
    print(module.leaf_rate(split(load()), int(sys.argv[2])))
