"""A server on loopback that answers with raw bytes, for answers that no proper server gives."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread


class Raw:
    """Answers each connection's first request with `answer`, and closes; `requests` are what came in.

    With `drip`, the answer is followed by one byte at a time until the client has gone.
    """

    def __init__(self, answer: bytes, *, drip: bool = False) -> None:
        self.answer, self.drip = answer, drip
        self.requests: list[bytes] = []
        self.over = Event()
        self.listener = socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        while not self.over.is_set():
            connection, _ = self.listener.accept()
            with connection:
                self.talk(connection)

    def talk(self, connection: socket.socket) -> None:
        try:
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
                if _complete(received):
                    break
            self.requests.append(received)
            connection.sendall(self.answer)
            while self.drip and not self.over.wait(0.02):
                connection.sendall(b"x")
        except OSError:
            pass


def _complete(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end) and len(body) >= (int(lengths[0].partition(b":")[2]) if lengths else 0)


@contextmanager
def answering(answer: bytes, *, drip: bool = False) -> Iterator[Raw]:
    server = Raw(answer, drip=drip)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        # Wakes a server that waits for a connection.
        socket.create_connection(server.listener.getsockname()).close()
        thread.join()
        server.listener.close()
