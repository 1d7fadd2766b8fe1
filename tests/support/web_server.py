"""A real web server on this computer that notes what it is sent and answers as it is told, also late or never."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Answer:
    """What the server says: how late, and byte by byte or at once; without a status it hangs up."""

    body: bytes = b'{"errcode":0,"errmsg":"ok"}'
    status: int | None = 200
    late_s: float = 0.0
    drips: bool = False


@dataclass
class Seen:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


@dataclass
class WebServer:
    """The answers that are left are given in turn, the last one for ever."""

    port: int = 0
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    seen: list[Seen] = field(default_factory=list)
    over: Event = field(default_factory=Event)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def web_server(*answers: Answer) -> Iterator[WebServer]:
    """A server for the length of the block."""
    server = WebServer()
    if answers:
        server.answers = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append(Seen(self.path, dict(self.headers), body))
            answer = server.next_answer()
            server.over.wait(answer.late_s)
            if answer.status is None:
                return
            try:
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                for byte in answer.body if answer.drips else ():
                    self.wfile.write(bytes([byte]))
                    server.over.wait(0.2)
                self.wfile.write(b"" if answer.drips else answer.body)
            except OSError:
                return  # who asked did not wait

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    server.port = httpd.server_address[1]
    thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        httpd.shutdown()
        httpd.server_close()
        thread.join()
