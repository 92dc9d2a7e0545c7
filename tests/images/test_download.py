"""Claims about downloads, from a server that runs beside the test."""

import hashlib
import threading
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from purigeom.images import Cifar
from purigeom.images.cifar.download import fetched
from purigeom.images.cifar.splits import SPLITS, Remote
from tests.images import made

NAME = "cifar-10-python.tar.gz"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


class Breaking(BaseHTTPRequestHandler):
    """Promises a hundred bytes and gives ten."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"0123456789")

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    """Return a function that starts a server and returns its address."""
    started = []

    def start(handler):
        serving = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        started.append((serving, thread))
        return f"http://127.0.0.1:{serving.server_port}"

    yield start
    for serving, thread in started:
        serving.shutdown()
        serving.server_close()
        thread.join()


def test_what_is_nowhere_is_downloaded_once_and_then_read_without_a_network(tmp_path, server, monkeypatch):
    images, labels = made.pixels(10_000), made.labels(10_000)
    (tmp_path / "far").mkdir()
    made.archive(tmp_path / "far" / NAME, {f"{made.EXTRACTED}/test_batch": made.batch(images, labels)})
    held = SPLITS["cifar10", "test"]
    url = f"{server(partial(Quiet, directory=tmp_path / 'far'))}/{NAME}"
    sha256 = hashlib.sha256((tmp_path / "far" / NAME).read_bytes()).hexdigest()
    monkeypatch.setitem(SPLITS, ("cifar10", "test"), replace(held, remotes=(Remote(NAME, url, sha256),)))
    found = Cifar()[:20].load()
    np.testing.assert_array_equal((found.images * 255).round().numpy(), images[:20])
    (tmp_path / "far" / NAME).unlink()
    assert Cifar()[:20].content() == Cifar(folder="data_cache")[:20].content()
    assert [path.name for path in Path("data_cache").iterdir()] == [NAME]


def test_other_bytes_than_expected_are_refused_and_not_kept(tmp_path, server):
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "some.npy").write_bytes(b"other bytes")
    remote = Remote("some.npy", f"{server(partial(Quiet, directory=tmp_path / 'far'))}/some.npy", "0" * 64)
    came = hashlib.sha256(b"other bytes").hexdigest()
    with pytest.raises(ValueError, match=f"must give bytes with sha256 {'0' * 64}; what came, 11 bytes, has {came}"):
        fetched(remote, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, server):
    remote = Remote("some.npy", server(Breaking), hashlib.sha256(b"0123456789" * 10).hexdigest())
    with pytest.raises((ValueError, ConnectionError), match=r"what came, 10 bytes|could not be fetched"):
        fetched(remote, tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_a_file_that_is_gone_is_named(tmp_path, server):
    url = f"{server(partial(Quiet, directory=tmp_path))}/gone.npy"
    with pytest.raises(ConnectionError, match=r"gone.npy could not be fetched \(HTTP Error 404"):
        fetched(Remote("gone.npy", url, ""), tmp_path / "cache")


def test_every_remote_file_is_read_by_a_source_of_its_split():
    for held in SPLITS.values():
        read = {held.official.archive} if held.official else set(held.arrays)
        assert {remote.file for remote in held.remotes} in (read, set())
        assert all(len(remote.sha256) == 64 and remote.url.startswith("https://") for remote in held.remotes)
