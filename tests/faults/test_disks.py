"""Claims about disks that refuse in the midst of a study: it stops at once, with one sentence, and can be resumed."""

import errno

import pytest

from purigeom import store, tasks
from purigeom.executors import Dask, Processes
from purigeom.sweep import run
from tests.faults.fates import Filling
from tests.store.contents import facts
from tests.toys import ToyImages, toy_tasks

UNITS = 3 * 40


@pytest.mark.parametrize(
    ("executor", "code", "files"),
    [
        (Processes(2), errno.ENOSPC, 7),
        (Processes(1), errno.EACCES, 24),
        (Dask(workers=1), errno.EROFS, 13),
    ],
    ids=["full", "forbidden", "read-only"],
)
def test_a_study_that_finds_no_room_stops_at_once_and_can_be_resumed(tmp_path, monkeypatch, executor, code, files):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", 2)
    root, room = tmp_path / "store", tmp_path / "room"
    asked = toy_tasks(3, ToyImages(count=80), Filling(code=code, files=files, room=room))
    with pytest.raises(OSError, match=r"store/distances.* could not be written: .*run again") as raised:
        run(asked, root, executor, quiet=True)
    assert raised.value.errno == code
    (progress,) = store.progress_of(root)
    assert 0 < len(progress.done) < files * 2, "nobody goes on where nothing can be stored"
    assert progress.missing == UNITS - len(progress.done)
    assert all(finding.harmless for finding in store.verify(root))
    room.touch()
    assert facts(run(asked, root, quiet=True)) == facts(run(asked, tmp_path / "alone", quiet=True))
    assert store.verify(root) == []
