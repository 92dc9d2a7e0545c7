"""Claims about the words of a command line."""

import inspect
import pickle
import sys

import numpy as np
import pytest

from purigeom.catalog import IMAGES, PURIFIERS
from purigeom.images import Digits, ImageFile
from purigeom.naming import images_named, named

MINE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Mine:
    depth: int = 3
    def pin(self, noise, image_shape):
        return lambda images: {factor} * images

mine = Mine()
"""


@pytest.fixture(autouse=True)
def unchanged_path(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))


def test_a_catalogue_s_word_is_its_entry():
    assert named("identity", PURIFIERS, "purifier") is PURIFIERS["identity"]


def test_an_object_of_a_file_is_found_by_inspect_and_by_other_processes(tmp_path):
    path = tmp_path / "object_of_a_file.py"
    path.write_text(MINE.format(factor=2))
    mine = named(f"{path}:mine", PURIFIERS, "purifier")
    assert "2 * images" in inspect.getsource(type(mine))
    assert pickle.loads(pickle.dumps(mine)) == mine
    assert str(tmp_path) in sys.path
    assert sys.path[0] != str(tmp_path), "a user's file hides no installed module"
    assert named(f"{path}:Mine", PURIFIERS, "purifier") == mine, "a class is asked for one of it"


def test_a_class_that_needs_arguments_is_told_how_to_be_named(tmp_path):
    path = tmp_path / "needs_arguments.py"
    path.write_text("class Mine:\n    def __init__(self, factor): ...\n")
    with pytest.raises(ValueError, match=r"Mine is a class that needs arguments.*'factor'.* `mine = Mine\("):
        named(f"{path}:Mine", PURIFIERS, "purifier")


@pytest.mark.parametrize("stem", ["random", "torch", "typing"])
def test_a_file_named_as_another_module_is_refused_and_hides_nothing(tmp_path, stem):
    (tmp_path / f"{stem}.py").write_text(MINE.format(factor=2))
    before = sys.modules.get(stem)
    with pytest.raises(ValueError, match=f"'{stem}' is the name of another module.*Rename the file"):
        named(f"{tmp_path / stem}.py:mine", PURIFIERS, "purifier")
    assert sys.modules.get(stem) is before


def test_two_files_of_one_name_are_not_confused(tmp_path):
    for folder, factor in (("first", 2), ("second", 3)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "of_one_name.py").write_text(MINE.format(factor=factor))
    first = named(f"{tmp_path}/first/of_one_name.py:mine", PURIFIERS, "purifier")
    with pytest.raises(ValueError, match="Rename the file"):
        named(f"{tmp_path}/second/of_one_name.py:mine", PURIFIERS, "purifier")
    assert "2 * images" in inspect.getsource(type(first))


def test_a_word_that_names_nothing_is_refused_with_what_there_is(tmp_path):
    with pytest.raises(ValueError, match=r"'nothing' is no purifier: choose one of .*'identity'"):
        named("nothing", PURIFIERS, "purifier")
    with pytest.raises(FileNotFoundError, match=r"There is no file .*missing.py"):
        named(f"{tmp_path}/missing.py:mine", PURIFIERS, "purifier")
    (tmp_path / "has_others.py").write_text(MINE.format(factor=2))
    with pytest.raises(AttributeError, match=r"has_others.py has no 'yours'; it has \['Mine', 'dataclass', 'mine'\]"):
        named(f"{tmp_path}/has_others.py:yours", PURIFIERS, "purifier")
    (tmp_path / "two.dots.py").write_text(MINE.format(factor=2))
    with pytest.raises(ValueError, match="Rename the file"):
        named(f"{tmp_path}/two.dots.py:mine", PURIFIERS, "purifier")


def test_image_sets_are_named_with_a_count_or_whole(tmp_path):
    assert images_named("digits", IMAGES) == Digits()
    assert images_named("digits:5", IMAGES) == Digits()[:5]
    path = tmp_path / "images.npz"
    np.savez(path, images=np.zeros((4, 1, 2, 2), np.float32))
    assert images_named(str(path), IMAGES) == ImageFile(str(path))
    assert len(images_named(f"{path}:3", IMAGES).load()) == 3
    with pytest.raises(ValueError, match="'faces' is no image set"):
        images_named("faces:3", IMAGES)
