"""What tests share: one thread, since two workers of pytest run beside each other, and an S3 server for who asks."""

from collections.abc import Iterator

import pytest
import torch

from purigeom.store import Place
from tests.object_store import Server, served

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    with served() as server:
        yield server


@pytest.fixture
def server(running_server: Server) -> Server:
    """Return an S3 server at which nothing goes wrong yet."""
    running_server.fault = lambda method, path: None
    running_server.asked.clear()
    return running_server


@pytest.fixture
def bucket(server: Server) -> Place:
    """Return an empty bucket."""
    return server.bucket()
