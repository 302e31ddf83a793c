"""A web server and a mail server on loopback that keep what they get."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer


@dataclass
class Received:
    """What a server got; port: where it listens."""

    port: int
    bodies: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def web_server(status: int = 200) -> Iterator[Received]:
    """Answer each POST with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.commands.append(self.path)
            received.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    received = Received(server.server_address[1])
    with running(server):
        yield received


@contextmanager
def mail_server() -> Iterator[Received]:
    """Take every mail; it knows neither STARTTLS nor passwords."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.answer("220 here")
            while line := self.rfile.readline().decode().strip():
                received.commands.append(line)
                verb = line.split()[0].upper()
                if verb == "DATA":
                    self.answer("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) != b".\r\n":
                        lines.append(part)
                    received.bodies.append(b"".join(lines))
                self.answer("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

        def answer(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
    received = Received(server.server_address[1])
    with running(server):
        yield received
