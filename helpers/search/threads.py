"""What must not run in two threads at once, and what the threads of a search share with their caller.

GridSearchCV's workers are processes, the search's are threads. liblinear and libsvm draw random numbers from
one generator per process: in two threads, each fit would get some of the other's numbers.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import joblib
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC, LinearSVR

_one_at_a_time = threading.RLock()


def is_thread_safe(estimator: Any) -> bool:
    """Return whether an estimator and all its parts are known to be safe in threads.

    Known are scikit-learn's, but for those that use liblinear or libsvm's probabilities, and for a search,
    whose grid may hold any. Nothing is known of an estimator from elsewhere.
    """
    return all(_is_part_safe(part) for part in (estimator, *estimator.get_params().values()))


def _is_part_safe(part: Any) -> bool:
    if isinstance(part, type) or not hasattr(part, "fit"):
        return True
    if isinstance(part, CalibratedClassifierCV) and part.estimator is None:  # its default is a LinearSVC
        return False
    return (
        type(part).__module__.partition(".")[0] == "sklearn"
        and not isinstance(part, (LinearSVC, LinearSVR))
        and not hasattr(part, "param_grid")
        and not hasattr(part, "param_distributions")
        and getattr(part, "solver", None) != "liblinear"
        and getattr(part, "probability", False) not in (True,)
    )


def guard(is_safe: bool) -> AbstractContextManager:
    """Return a context for one fit: alone in this process and without threads, if it is not safe."""
    return nullcontext() if is_safe else _alone()


@contextmanager
def _alone() -> Iterator[None]:
    with _one_at_a_time, joblib.parallel_config(backend="sequential"):
        yield


def run_task(process: int, config: dict, filters: list, function: Callable, *args: Any) -> Any:
    """Call a function with the scikit-learn configuration and the warning filters of the search's caller.

    scikit-learn's own ``delayed`` replaces the filters in threads, too, where they are not the thread's own:
    two threads that do so at once leave other filters behind.
    """
    with config_context(**config):
        if os.getpid() == process:
            return function(*args)
        with warnings.catch_warnings():
            warnings.resetwarnings()
            warnings.filters[:] = filters  # type: ignore[index]
            return function(*args)
