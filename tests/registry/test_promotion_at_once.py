"""Promotions at the same moment, on a real store: one is in production, and the others are told."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from click.testing import CliRunner
from mlflow import MlflowClient

from helpers.cli import churn
from helpers.errors import RegistryError
from helpers.registry import (
    archive,
    history,
    list_versions,
    production_version,
    promote,
    reconcile,
    register,
    roll_back,
    staging_version,
)
from tests.support.bank import PRODUCTION_MODEL

WRITES = (
    "create_registered_model",
    "create_model_version",
    "set_model_version_tag",
    "set_registered_model_alias",
)


class Killed(BaseException):
    """Ends a call as a signal would: nothing of the project catches it."""


class KilledClient(MlflowClient):
    """Dies before the write with the given number, counted from 0."""

    def __init__(self, survives: int):
        super().__init__()
        self._left = survives

    def __getattribute__(self, name):
        if name in WRITES:
            if self._left == 0:
                raise Killed(name)
            self._left -= 1
        return super().__getattribute__(name)


class PausedClient(MlflowClient):
    """Waits before the last of these methods, called in this order, until it is told to go on."""

    def __init__(self, *before: str):
        super().__init__()
        self.before, self.waits, self.go_on = list(before), Event(), Event()

    def __getattribute__(self, name):
        if name.startswith("_") or name not in (before := super().__getattribute__("before"))[:1]:
            return super().__getattribute__(name)
        before.pop(0)
        if not before:
            self.waits.set()
            assert self.go_on.wait(120)
        return super().__getattribute__(name)


def outcome(call, *args) -> str:
    """Return the version that a call put in production, or the message of its refusal."""
    try:
        return str(call(*args).version)
    except RegistryError as error:
        return str(error)


def at_once(*calls) -> list[str]:
    """Start calls at the same moment, each with a client of its own."""
    barrier = Barrier(len(calls))

    def start(call):
        client = MlflowClient()
        barrier.wait()
        return outcome(call, client)

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def promotion(version, reason="best"):
    return lambda client: promote(client, version.name, version.version, reason)


def assert_agree(client) -> str:
    """Check that alias, tags and duplicates agree; return the source of the version in production."""
    live, versions = production_version(client), list_versions(client, PRODUCTION_MODEL)
    assert [v.version for v in versions if v.tags["stage"] == "production"] == [live.version]
    assert {v.tags["stage"] for v in versions} <= {"production", "archived"}
    first = {}
    for version in versions:
        original = first.setdefault((version.tags["source_name"], version.tags["source_version"]), version)
        expected = None if original is version else str(original.version)
        assert version.tags.get("duplicate_of") == expected
    assert "duplicate_of" not in live.tags
    return live.tags["source_name"]


def test_the_same_version_promoted_in_three_threads_is_in_production_once(store, add_version):
    versions = [add_version(name) for name in ("tree", "knn", "tree")]
    for number, version in enumerate(versions):
        before = production_version(store.client)
        results = at_once(*[promotion(version)] * 3)
        assert set(results) == {str(production_version(store.client).version)}
        assert assert_agree(store.client) == version.name
        live = production_version(store.client)
        assert live.tags["source_version"] == str(number // 2 + 1)
        assert live.tags["previous_version"] == (str(before.version) if before else "")
        assert live.tags["stage_reason"] == "best"


def test_different_challengers_at_once_leave_one_in_production_and_tell_the_others(store, add_version):
    first = add_version("logreg")
    promote(store.client, first.name, first.version, "first")
    for _ in range(2):
        versions = [add_version("tree"), add_version("knn")]
        results = at_once(*map(promotion, versions))
        winner = assert_agree(store.client)
        live = str(production_version(store.client).version)
        assert results[[version.name for version in versions].index(winner)] == live
        for result in set(results) - {live}:
            # Either it was in production for a moment, or its caller knows that it was not.
            assert result.isdigit() or "at the same moment" in result


def test_rollbacks_at_once_go_back_one_version_each_at_most_and_agree(store, add_version):
    for name in ("tree", "knn", "logreg"):
        promotion(add_version(name))(store.client)
    at_once(*[lambda client: roll_back(client, "worse")] * 2, promotion(add_version("forest")))
    assert_agree(store.client)


def test_a_promotion_that_was_paused_before_its_copy_uses_the_copy_of_the_faster_one(store, add_version):
    version, slow = add_version("tree"), PausedClient("create_model_version")
    with ThreadPoolExecutor() as pool:
        result = pool.submit(outcome, promotion(version, "slow"), slow)
        assert slow.waits.wait(120)
        promote(store.client, version.name, version.version, "fast")
        slow.go_on.set()
        assert result.result() == "1"
    first, second = list_versions(store.client, PRODUCTION_MODEL)
    assert_agree(store.client)
    assert first.tags["stage_reason"] == "fast"
    assert second.tags["stage_reason"] == "duplicate of version 1"
    table = history(store.client)
    assert table["stage"].to_dict() == {1: "production", 2: "archived"}
    assert table["source"].unique().tolist() == ["churn-tree v1"]
    assert "duplicate of version 1" in CliRunner().invoke(churn, ["history"]).output


@pytest.mark.parametrize("before", ["create_model_version", "set_registered_model_alias"])
def test_a_promotion_that_another_one_overtook_is_refused_or_replaces_it_but_never_half(
    store, add_version, before
):
    start, slower, faster = (add_version(name) for name in ("logreg", "tree", "knn"))
    promotion(start)(store.client)
    slow = PausedClient(before)
    with ThreadPoolExecutor() as pool:
        result = pool.submit(outcome, promotion(slower), slow)
        assert slow.waits.wait(120)
        promotion(faster)(store.client)
        slow.go_on.set()
        told = result.result()
    source = assert_agree(store.client)
    if before == "create_model_version":
        assert source == "churn-knn"
        assert "churn-knn v1" in told and "at the same moment" in told and "gates" in told
        (loser,) = [
            v for v in list_versions(store.client, PRODUCTION_MODEL) if v.tags["source_name"] == "churn-tree"
        ]
        assert "not promoted" in loser.tags["stage_reason"]
    else:  # nothing is between its last look and the alias: it is the later one
        assert source == "churn-tree"
        assert told == str(production_version(store.client).version)


def test_a_promotion_whose_version_was_replaced_before_it_returned_is_told(store, add_version):
    mine, other = add_version("tree"), add_version("knn")
    promotion(mine)(store.client)
    promotion(other)(store.client)
    slow = PausedClient("set_registered_model_alias", "set_model_version_tag")
    again = add_version("tree")
    with ThreadPoolExecutor() as pool:
        result = pool.submit(outcome, promotion(again), slow)
        assert slow.waits.wait(120)
        roll_back(store.client, "in between")
        slow.go_on.set()
        assert "at the same moment" in result.result()
    assert_agree(store.client)


def test_gates_that_compared_with_an_earlier_production_version_do_not_promote(store, add_version):
    first, second, third = (add_version(name) for name in ("logreg", "tree", "knn"))
    live = promote(store.client, first.name, first.version, "first", replaces="")
    promote(store.client, second.name, second.version, "second", replaces=str(live.version))
    with pytest.raises(RegistryError, match=r"churn version 2 \(churn-tree v1\).*gates"):
        promote(store.client, third.name, third.version, "third", replaces=str(live.version))
    assert assert_agree(store.client) == "churn-tree"


def test_a_process_killed_at_any_write_leaves_nothing_that_the_next_call_does_not_complete(
    store, add_version
):
    first, second = add_version("logreg"), add_version("tree")
    promotion(first)(store.client)
    for survives in range(20):
        killed = KilledClient(survives)
        try:
            promotion(second)(killed)
            break
        except Killed:
            pass
        # The alias is one write: a version is in production at every moment, and it loads.
        before = production_version(store.client)
        assert before.tags["source_name"] in ("churn-logreg", "churn-tree")
        assert history(store.client)["stage"].eq("production").sum() == 1
        reconcile(store.client, PRODUCTION_MODEL)
        assert assert_agree(store.client) == before.tags["source_name"]
        promotion(first)(store.client)
        second = register(store.client, "tree", second.source, second.run_id)  # the same model again
    assert survives > 4
    assert assert_agree(store.client) == "churn-tree"


def test_archiving_and_training_at_once_leave_the_new_version_in_staging(store, add_version):
    old = add_version("tree")
    slow = PausedClient("delete_registered_model_alias")
    with ThreadPoolExecutor() as pool:
        result = pool.submit(archive, slow, old.name, old.version, "unfair")
        assert slow.waits.wait(120)
        new = add_version("tree")
        slow.go_on.set()
        assert result.result().tags["stage"] == "archived"
    assert staging_version(store.client, "tree").version == new.version


def test_the_version_in_production_is_not_archived(store, add_version):
    live = promotion(add_version("tree"))(store.client)
    with pytest.raises(RegistryError, match="is in production: roll back, or promote another"):
        archive(store.client, PRODUCTION_MODEL, live.version, "unfair")
    assert assert_agree(store.client) == "churn-tree"


def promote_in_process(barrier, queue, versions) -> None:
    client = MlflowClient()
    for name, version in versions:
        barrier.wait()
        queue.put(outcome(promote, client, name, version, "best"))


@pytest.mark.stack
def test_three_processes_promote_the_same_versions(store, add_version):
    versions = [(v.name, v.version) for v in map(add_version, ("tree", "knn", "tree", "knn"))]
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(3), context.Queue()
    processes = [
        context.Process(target=promote_in_process, args=(barrier, queue, versions)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    results = [queue.get(timeout=300) for _ in range(3 * len(versions))]
    for process in processes:
        process.join()
    assert all(result.isdigit() for result in results)
    assert assert_agree(store.client) == "churn-knn"
