"""Claims about `purigeom info`, `check` and `merge`."""

from purigeom import store


def test_info_says_what_is_there_and_what_is_missing(command, small):
    code, out, _ = command("info", small)
    assert code == 0
    assert "compression: 2 purifiers x 4 images, 2 units done, 0 missing" in out
    assert "Compression(radii=(" in out
    (seal,) = small.glob("*.zarr/made_by/c.1.0")
    seal.unlink()
    assert "1 units done, 1 missing" in command("info", small)[1]


def test_check_exits_with_zero_only_for_a_store_that_is_whole(command, small, tmp_path):
    code, out, _ = command("check", small)
    assert (code, out) == (0, f"{small}: 0 problems\n")
    (chunk,) = small.glob("*.zarr/compression_ratio/c.1.*")
    flipped = bytearray(chunk.read_bytes())
    flipped[7] ^= 16
    chunk.write_bytes(flipped)
    code, out, _ = command("check", small)
    assert code == 1
    assert f"{chunk}: it cannot be read" in out
    assert out.endswith("1 problems, of which --repair drops 1 for the next run to answer again\n")
    (tmp_path / "empty").mkdir()
    assert command("check", tmp_path / "empty")[0] == 1


def test_check_with_repair_drops_what_is_broken_and_the_next_run_answers_it(command, small):
    (chunk,) = small.glob("*.zarr/compression_ratio/c.1.*")
    chunk.write_bytes(chunk.read_bytes()[:-9])
    code, out, _ = command("check", small, "--repair")
    assert code == 0
    assert out.startswith(f"dropped: {chunk}: ")
    assert out.endswith("0 problems; run again to answer what was dropped\n")
    assert "1 units done, 1 missing: median" in command("info", small)[1]
    command("measure", "identity", "median", "--images", "digits:4", "--out", small, "--quiet")
    assert command("check", small)[:2] == (0, f"{small}: 0 problems\n")


def test_merge_brings_two_stores_together_or_says_why_not(command, small, tmp_path):
    asked = ("measure", "gaussian-noise", "--images", "digits:4", "--quiet", "--out")
    for folder, more in (("other", ()), ("third", ("--seed", "1"))):
        assert command(*asked, tmp_path / folder, *more)[0] == 0
    merged = tmp_path / "merged"
    assert command("merge", merged, small, tmp_path / "other")[:2] == (0, f"{merged}: 3 units done, 3 of them new\n")
    assert command("merge", merged, small)[1] == f"{merged}: 3 units done, 0 of them new\n"
    assert set(store.load(merged).purifier.values) == {"identity", "median", "gaussian-noise"}
    code, out, err = command("merge", merged, tmp_path / "third")
    assert (code, out) == (2, "")
    assert "seed 0 against 1" in err
