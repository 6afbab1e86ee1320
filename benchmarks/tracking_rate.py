"""Print how many child runs per second are written.

python -m benchmarks.tracking_rate this_project|fluent 200
"""

import sys

from benchmarks import baselines, this_project
from helpers.data import load, split

if __name__ == "__main__":
    module = this_project if sys.argv[1] == "this_project" else baselines
    module.create_store()
    print(module.child_run_rate(split(load()), int(sys.argv[2])))
