"""Claims about reading: damage is noticed, unfinished rows are not shown, other schemas are refused."""

import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from purigeom import store
from purigeom.measurements.compression import Compression
from purigeom.measurements.distances import Distances
from purigeom.schema import SCHEMA_VERSION
from purigeom.store.arrays import HEADER
from purigeom.store.plan import folder_name, to_json
from purigeom.store.segment import SEAL, create
from purigeom.sweep import Task, run
from purigeom.tasks import plan_units
from tests.toys import Moved, Scale, ToyImages, toy_tasks


def flips(path, count, seed=0):
    """Yield a file's name and content with one byte flipped, `count` times, and restore it."""
    whole = path.read_bytes()
    places = random.Random(seed)
    for _ in range(count):
        place = places.randrange(len(whole))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << places.randrange(8)
        path.write_bytes(flipped)
        yield f"{path.parent.name}/{path.name}: byte {place} of {whole!r} became {flipped[place]:#x}"
    path.write_bytes(whole)


def loaded(root):
    """Return what a store shows, or None where it says that something is wrong."""
    try:
        return store.load(root).load()
    except Exception:  # whatever a flipped byte makes the codecs raise
        return None


@pytest.fixture
def answers(tmp_path):
    """Return a store of two questions."""
    purifiers = {name: Scale(factor) for name, factor in (("half", 0.5), ("most", 0.9))}
    questions = (Compression((0.1, 0.2), probes=2), Distances(draws=2))
    tasks = [
        Task(name, purifier, question, ToyImages(count=3))
        for name, purifier in purifiers.items()
        for question in questions
    ]
    return run(tasks, tmp_path / "answers", quiet=True)


def test_a_flipped_byte_in_a_number_is_noticed_on_reading(full, undisturbed):
    (segment,) = full.glob("*.zarr")
    numbers = [path for path in segment.glob("*/c.*") if path.parent.name not in (SEAL, "purifier", "image")]
    assert {path.parent.name for path in numbers} == {"l2_distance", "draw"}
    for path in numbers:
        for what in flips(path, 8):
            assert loaded(full) is None, what
    xr.testing.assert_identical(loaded(full), undisturbed)


def test_a_flipped_byte_in_any_file_never_changes_what_is_read(full, undisturbed):
    noticed = 0
    (segment,) = full.glob("*.zarr")
    for path in sorted(path for path in segment.rglob("*") if path.is_file()):
        for what in flips(path, 60 if path.name == "zarr.json" else 3, seed=1):
            found = loaded(full)
            noticed += found is None
            assert found is None or found.identical(undisturbed), what
    assert noticed > 100
    xr.testing.assert_identical(loaded(full), undisturbed)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("radius", {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}}}),
        ("compression_ratio", {"shape": [2, 1, 2, 1, 2, 2]}),
        ("compression_ratio", {"data_type": "float64"}),
        (
            "compression_ratio",
            {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1, 2, 1, 1, 2]}}},
        ),
        ("ssim", {"dimension_names": ["purifier", "image", "draw"]}),
        ("ssim", {"fill_value": 0.0}),
    ],
)
def test_an_array_s_changed_header_is_noticed(answers, name, change):
    (header,) = answers.glob(f"*.zarr/{name}/zarr.json")
    header.write_text(json.dumps(json.loads(header.read_text()) | change))
    with pytest.raises(ValueError, match=f"{name} is damaged: its header is not the one it was made with"):
        store.load(answers)


@pytest.mark.parametrize("name", ["radius/c.0", "compression_ratio/c.1.0.0.0.0.0", "ssim/zarr.json"])
def test_a_lost_file_is_noticed(answers, name):
    (path,) = answers.glob(f"*.zarr/{name}")
    path.unlink()
    with pytest.raises(ValueError, match="is damaged"):
        store.load(answers)


def test_a_damaged_array_is_not_written_to(full):
    (segment,) = full.glob("*.zarr")
    (segment / SEAL / "c.0.0").unlink()
    header = segment / "l2_distance" / "zarr.json"
    header.write_text(header.read_text().replace('"separator": "."', '"separator": "/"'))
    with pytest.raises(ValueError, match="l2_distance is damaged"):
        run(toy_tasks(), full, quiet=True)


def test_rows_of_which_any_unit_is_missing_are_not_shown(full, undisturbed):
    (segment,) = full.glob("*.zarr")
    (segment / SEAL / "c.1.2").unlink()
    found = store.load(full).load()
    assert found.purifier.values.tolist() == ["scale 0", "scale 2"]
    xr.testing.assert_identical(found, undisturbed.sel(purifier=["scale 0", "scale 2"]))


def test_a_store_that_was_only_begun_shows_no_row(tmp_path):
    plan_units(toy_tasks(), tmp_path, "cpu")
    assert store.load(tmp_path).sizes["purifier"] == 0
    assert store.verify(tmp_path) == []


def test_a_second_segment_that_was_only_begun_changes_nothing(full, undisturbed):
    assert plan_units(toy_tasks(4), full, "cpu") != []
    xr.testing.assert_identical(store.load(full).load(), undisturbed)


def test_purifiers_stand_in_the_order_in_which_they_were_first_asked(tmp_path):
    for count in (1, 2, 3, 4, 5):
        run(toy_tasks(count), tmp_path, quiet=True)
    assert store.load(tmp_path).purifier.values.tolist() == [f"scale {place}" for place in range(5)]


def test_a_purifier_without_an_answer_has_nan_and_others_keep_theirs(tmp_path):
    images = ToyImages(count=3)
    run([Task("half", Scale(0.5), Compression((0.1,)), images)], tmp_path, quiet=True)
    both = [Task(name, Scale(factor), Distances(), images) for name, factor in (("all", 1.0), ("half", 0.5))]
    run(both, tmp_path, quiet=True)
    found = store.load(tmp_path).load()
    assert found.compression_ratio.sel(purifier="all").isnull().all()
    assert found.compression_ratio.sel(purifier="half").notnull().all()
    assert found.l2_distance.notnull().all()
    assert found.recipe.sel(purifier="half").item() == "Scale(factor=0.5)"


def test_one_segment_is_opened_without_reading_its_numbers(full):
    (path,) = full.glob("*.zarr/l2_distance/c.1.0.0")
    for _ in flips(path, 1):
        found = store.load(full).l2_distance
        assert found.sel(purifier="scale 0").notnull().all()
        with pytest.raises(ValueError, match="checksum"):
            found.sel(purifier="scale 1").load()


def test_a_store_of_another_schema_is_refused_with_a_sentence(full):
    (progress,) = store.progress_of(full)
    shutil.rmtree(progress.segment)
    create(full, replace(progress.plan, schema=SCHEMA_VERSION + 1))
    message = f"follows store schema {SCHEMA_VERSION + 1}; this purigeom reads {SCHEMA_VERSION}"
    with pytest.raises(ValueError, match=message):
        store.load(full)
    with pytest.raises(ValueError, match=message):
        run(toy_tasks(), full, quiet=True)
    assert message in store.verify(full)[0].problem


def test_a_schema_of_the_future_need_not_look_like_today_s(full):
    (progress,) = store.progress_of(full)
    attributes = {"label": "distances", "schema": SCHEMA_VERSION + 5, "something": ["else"]}
    header = json.loads((progress.segment / "zarr.json").read_text())
    header["attributes"] = {"purigeom": attributes}
    (progress.segment / "zarr.json").write_text(json.dumps(header))
    progress.segment.rename(full / folder_name("distances", attributes))
    with pytest.raises(ValueError, match=f"follows store schema {SCHEMA_VERSION + 5}"):
        store.load(full)


def test_two_purifiers_of_one_name_are_not_mixed(full, tmp_path):
    """Two programs, started at once on an empty folder, cannot see each other's names."""
    other = [replace(task, purifier=Scale(7.0)) for task in toy_tasks(1)]
    (segment,) = run(other, tmp_path / "other", quiet=True).glob("*.zarr")
    shutil.move(segment, full / segment.name)
    with pytest.raises(ValueError, match="different purifiers named 'scale 0'"):
        store.load(full)


def test_an_empty_folder_is_no_store(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no segment"):
        store.load(tmp_path)


def test_what_made_every_unit_is_on_record(full):
    made = store.provenance(full)
    assert len(made) == 9
    for unit in made:
        assert set(unit["versions"]) >= {"purigeom", "torch", "numpy", "xarray", "zarr"}
        assert unit["seconds"] > 0
        assert unit["device"] == "cpu"
        assert unit["threads"] == 1
    assert {(unit["purifier"], unit["block"]) for unit in made} == {
        (f"scale {place}", block) for place in range(3) for block in range(3)
    }


def test_a_store_opens_in_plain_xarray_with_its_meaning(answers):
    (segment,) = answers.glob("compression-*.zarr")
    plain = xr.open_zarr(segment, consolidated=False)
    assert plain.compression_ratio.attrs["units"] == "1"
    assert "displacement" in plain.compression_ratio.attrs["description"]
    assert plain.attrs["purigeom"]["question"]["seed"] == 0
    np.testing.assert_array_equal(plain.radius, [0.1, 0.2])
    assert all(HEADER not in array.attrs for array in store.load(answers).variables.values())


def test_a_plan_survives_its_header(full):
    (progress,) = store.progress_of(full)
    again = json.loads((progress.segment / "zarr.json").read_text())["attributes"]["purigeom"]
    assert to_json(progress.plan) == again


def test_a_measurement_s_answers_of_two_draws_are_kept_apart(tmp_path):
    (task,) = toy_tasks(1, measurement=Moved(draws=2))
    found = store.load(run([task], tmp_path, quiet=True)).load()
    batch = task.images.load()
    assert found.sizes["draw"] == 2
    assert (found.l2_distance.sel(draw=0) != found.l2_distance.sel(draw=1)).any()
    assert found.image.values.tolist() == list(batch.image_ids)
