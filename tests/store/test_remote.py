"""Claims about stores behind a URL: the same files, the same laws, and a network that fails."""

import itertools

import pytest
import xarray as xr
from upath import UPath

from purigeom import store
from purigeom.answering import answer
from purigeom.store.segment import SEAL
from purigeom.sweep import run
from purigeom.tasks import plan_units
from tests.object_store import slow
from tests.processes import CONTEXT, drive, finished, started
from tests.store.contents import contents, facts
from tests.toys import Moved, ToyImages, toy_tasks


@pytest.fixture
def root(bucket):
    return store.place(bucket / "study")


@pytest.mark.parametrize("kind", ["memory", "bucket"])
def test_a_store_behind_a_url_holds_the_files_of_one_on_a_disk(full, undisturbed, kind, request):
    url = request.getfixturevalue("root") if kind == "bucket" else "memory://test-of-the-same-files"
    root = store.place(run(toy_tasks(), url, quiet=True))
    assert facts(root) == facts(full)
    xr.testing.assert_identical(store.load(url).load(), undisturbed)
    assert store.verify(url) == []
    assert len(store.provenance(url)) == 9


def test_a_store_behind_a_url_opens_in_plain_xarray(root, undisturbed):
    run(toy_tasks(), root, quiet=True)
    (progress,) = store.progress_of(root)
    plain = xr.open_zarr(str(progress.segment), consolidated=False, storage_options=dict(root.storage_options))
    assert (plain.l2_distance.values == undisturbed.l2_distance.values).all()


def test_only_what_is_missing_is_measured(root, tmp_path):
    asked = toy_tasks(2, measurement=Moved(diary=tmp_path))
    run(asked, root, quiet=True)
    (progress,) = store.progress_of(root)
    store.places.remove(progress.segment / SEAL / "c.1.2")
    run(asked, root, quiet=True)
    assert len(list(tmp_path.iterdir())) == 2 * 3 + 1


def test_a_unit_is_sealed_by_one_put_after_all_others(root, server):
    units = plan_units(toy_tasks(1), root, "cpu")
    for unit in units:
        server.asked.clear()
        answer(unit)
        put = [path for method, path in server.asked if method == "PUT"]
        assert [path for path in put if f"/{SEAL}/" in path] == [put[-1]]
    assert [method for method, _ in server.asked] == 5 * ["GET"] + ["PUT", "GET", "PUT"], "what docs/store.md says"


def test_two_drivers_of_one_bucket_lose_nothing(root, tmp_path):
    everything = toy_tasks(4, ToyImages(count=8))
    expected = store.load(run(everything, tmp_path / "alone", quiet=True)).load()
    go, ready = CONTEXT.Event(), [CONTEXT.Event() for _ in range(2)]
    drivers = [started(drive, everything, root, event, go) for event in ready]
    assert all(event.wait(60) for event in ready)
    go.set()
    assert finished(drivers) == [0, 0]
    xr.testing.assert_identical(store.load(root).load(), expected)
    assert store.verify(root) == []
    assert facts(root) == facts(tmp_path / "alone")


def test_a_network_that_is_slow_or_refuses_now_and_then_changes_no_byte(root, server, full):
    count = itertools.count()
    server.fault = lambda method, path: "SlowDown" if next(count) % 25 == 24 else slow(0.002)(method, path)
    run(toy_tasks(), root, quiet=True)
    assert next(count) > 50
    server.fault = slow(0)
    assert facts(root) == facts(full)
    assert store.verify(root) == []


def test_a_bucket_that_may_not_be_written_is_named_and_stays_readable(root, server):
    run(toy_tasks(1), root, quiet=True)
    before, expected = contents(root), store.load(root).load()
    server.fault = lambda method, path: "AccessDenied" if method == "PUT" else None
    with pytest.raises(OSError, match=r"s3://.*\.zarr could not be written: AccessDenied .* stays readable"):
        run(toy_tasks(2), root, quiet=True)
    assert contents(root) == before
    xr.testing.assert_identical(store.load(root).load(), expected)
    server.fault = slow(0)
    assert store.load(run(toy_tasks(2), root, quiet=True)).sizes["purifier"] == 2


def test_a_put_that_is_refused_at_any_point_leaves_whole_units(root, server, tmp_path):
    """The network goes away at the n-th put and comes back for the next run."""
    expected = facts(run(toy_tasks(2), tmp_path / "alone", quiet=True))
    told = []
    for last in itertools.count(step=3):
        puts = itertools.count()
        server.fault = lambda method, path: "AccessDenied" if method == "PUT" and next(puts) >= last else None  # noqa: B023
        there = root / f"{last}"
        try:
            run(toy_tasks(2), there, quiet=True)
        except (OSError, ValueError) as error:
            told.append(str(error))
        else:
            break
        finally:
            server.fault = slow(0)
        if store.progress_of(there):
            assert all(finding.harmless for finding in store.verify(there))
        assert facts(run(toy_tasks(2), there, quiet=True)) == expected
    assert last > 15
    assert all("could not be written" in sentence for sentence in told)


def test_a_bucket_that_may_not_be_read_is_named(root, server):
    server.fault = lambda method, path: "AccessDenied"
    with pytest.raises(OSError, match=r"s3://.*/study could not be read: AccessDenied"):
        store.load(root)


def test_a_server_that_is_gone_is_named():
    options = {"key": "test", "secret": "test", "endpoint_url": "http://127.0.0.1:9"}
    with pytest.raises(OSError, match="s3://gone/study could not be read: Could not connect"):
        store.load(UPath("s3://gone/study", **options, config_kwargs={"retries": {"max_attempts": 0}}))


def test_a_bucket_that_does_not_exist_holds_no_store(bucket):
    with pytest.raises(FileNotFoundError, match="holds no segment"):
        store.load(UPath("s3://never-made/study", **bucket.storage_options))
