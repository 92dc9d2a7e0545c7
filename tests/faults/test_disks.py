"""Claims about disks that refuse in the midst of a study: it stops at once, with one sentence, and can be resumed."""

import errno
import gc

import pytest

from purigeom import store, tasks
from purigeom.executors import Dask, Processes, Slurm
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


# submitit's local jobs are not waited for once they are cancelled
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function Popen:pytest.PytestUnraisableExceptionWarning")
def test_an_array_of_jobs_whose_disk_is_full_ends_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "IMAGES_PER_UNIT", 2)
    jobs, diary = 2, tmp_path / "diary"
    diary.mkdir()
    asked = toy_tasks(3, ToyImages(count=80), Filling(files=7, room=tmp_path / "room", diary=diary))
    with pytest.raises(OSError, match=r"store/distances.* could not be written: .*run again"):
        run(asked, tmp_path / "store", Slurm(jobs, tmp_path / "jobs", cluster="local"), quiet=True)
    gc.collect()
    (progress,) = store.progress_of(tmp_path / "store")
    refused = len(list(diary.iterdir())) - len(progress.done)
    assert 0 < refused <= jobs, "a job measures nothing after the first answer that the disk refuses"
