"""A real S3 server for tests: moto's application behind werkzeug, which can be told to be slow or to refuse."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from upath import UPath

Fault = Callable[[str, str], str | None]
"""What goes wrong with a request, by its method and path: the code of an S3 error, or nothing."""


class Server:
    """An S3 server at `url`, whose `fault` decides what goes wrong; `asked` holds what it was asked."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.fault: Fault = lambda method, path: None
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        request = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append(request)
        code = self.fault(*request)
        if code is None:
            return self.application(environ, _without_server(start_response))
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status = {"AccessDenied": "403 Forbidden", "SlowDown": "503 Slow Down"}[code]
        start_response(status, [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>{code} was told to happen</Message></Error>".encode()]

    def bucket(self) -> UPath:
        """Return a new, empty bucket."""
        name = uuid.uuid4().hex
        root = UPath(f"s3://{name}", key="test", secret="test", endpoint_url=self.url, client_kwargs=REGION)
        root.fs.mkdir(name)
        return root


REGION = {"region_name": "eu-central-1"}


def _without_server(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Leave out the header that werkzeug adds anyway: some readers refuse two of a kind."""
    return lambda status, headers, *more: start_response(
        status, [pair for pair in headers if pair[0].lower() != "server"], *more
    )


def slow(seconds: float) -> Fault:
    """Wait before every request."""
    return lambda method, path: time.sleep(seconds)


@contextmanager
def served() -> Iterator[Server]:
    """Yield a running server."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: Any) -> None:
            pass

    server = Server(DomainDispatcherApplication(create_backend_app))
    listener = make_server("127.0.0.1", 0, server, threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
