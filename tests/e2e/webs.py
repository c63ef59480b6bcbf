"""HTTP servers of a test: each answers what it was told, byte for byte."""

import contextlib
import os
import socket
import threading

OK = b"HTTP/1.1 200 OK\r\nX-Release: 3f2a9c1\r\nContent-Type: text/html\r\n" \
     b"Cache-Control: no-store\r\nContent-Length: 2\r\n\r\nok"


def json_answer(body):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body), body)


class Web:
    """Answers each request with the next of `answers`, the last one for ever; None: silence."""

    def __init__(self, listener, answers):
        self.listener = listener
        self.answers = list(answers)
        self.requests = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def serve(self):
        while True:
            try:
                wire, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(wire,), daemon=True).start()

    def answer(self, wire):
        with contextlib.suppress(OSError), wire:
            data = b""
            while b"\r\n\r\n" not in data:
                more = wire.recv(4096)
                if not more:
                    return
                data += more
            self.requests.append(data)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                self.over.wait()
            elif callable(answer):
                answer(wire, self.over)
            else:
                wire.sendall(answer)


@contextlib.contextmanager
def web(*answers, path=None):
    if path:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        os.chmod(path, 0o777)
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    one = Web(listener, answers or [OK])
    try:
        yield one
    finally:
        one.over.set()
        # A thread that waits in accept is not woken by a close alone.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        one.thread.join()


def one_byte_at_a_time(wire, over):
    wire.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(0.05):
        wire.sendall(b"X")


def without_end(wire, over):
    wire.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while not over.is_set():
        wire.sendall(b"x" * 65536)
