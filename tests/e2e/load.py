"""Requests without end, from clients with new and with kept connections, and what became of each.

A request that finds its kept connection closed by the server before the first byte of an answer is
sent again on a new one, as every client and proxy does; those are counted, as `again`.
"""

import asyncio
import threading
import time
from dataclasses import dataclass

PATIENCE = 30.0


@dataclass
class Answer:
    asked: float  # time.monotonic() when it was sent
    done: float
    release: str
    pid: int


class Closed(Exception):
    """A kept connection that was closed before it was used again."""


async def receive(reader, is_reused):
    """The words of the body; whether the connection stays open."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if is_reused and not error.partial:
            raise Closed from None
        raise ConnectionError(f"closed after {len(error.partial)} bytes of an answer") from None
    except ConnectionError:
        if is_reused:
            raise Closed from None
        raise
    status, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(fields["content-length"]))
    if status.split()[1] != "200":
        raise ConnectionError(status)
    return body.decode(), fields.get("connection", "").lower() != "close"


class Load:
    """Runs from the start of a `with` block to its end. `target` is a port or the path of a socket."""

    def __init__(self, target, path="/", new=2, kept=2, pause=0.01):
        self.target = target
        self.path = path
        self.kinds = [False] * new + [True] * kept
        self.pause = pause
        self.answers = []
        self.failures = []
        self.again = 0
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.loop = self.over = None

    def __enter__(self):
        self.thread.start()
        self.wait_answers(1)
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """No new request is sent; those that were are answered or fail before this returns."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.over.set)
            self.thread.join(PATIENCE * 2)

    def wait_answers(self, count, within=PATIENCE):
        """Until so many more have come."""
        with self.changed:
            wanted = len(self.answers) + count
            if not self.changed.wait_for(lambda: len(self.answers) >= wanted, within):
                raise AssertionError(f"no {count} answers in {within} s; failures: {self.failures[-3:]}")

    def after(self, moment):
        """The answers to what was asked after that moment."""
        with self.changed:
            return [answer for answer in self.answers if answer.asked > moment]

    async def _run(self):
        self.loop, self.over = asyncio.get_running_loop(), asyncio.Event()
        await asyncio.gather(*(self._client(is_kept) for is_kept in self.kinds))

    async def _open(self):
        if isinstance(self.target, int):
            return await asyncio.open_connection("127.0.0.1", self.target)
        return await asyncio.open_unix_connection(self.target)

    async def _ask(self, connection, is_kept):
        """One request, on that connection or on a new one; the connection if it stays open."""
        asked = time.monotonic()
        is_reused = connection is not None
        reader, writer = connection or await self._open()
        words = f"GET {self.path} HTTP/1.1\r\nHost: t\r\nConnection: {'keep-alive' if is_kept else 'close'}\r\n\r\n"
        try:
            writer.write(words.encode())
            body, stays = await receive(reader, is_reused)
        except BaseException:
            writer.close()
            raise
        release, pid = body.split()
        with self.changed:
            self.answers.append(Answer(asked, time.monotonic(), release, int(pid)))
            self.changed.notify_all()
        if is_kept and stays:
            return reader, writer
        writer.close()
        return None

    async def _client(self, is_kept):
        connection = None
        while not self.over.is_set():
            try:
                connection = await asyncio.wait_for(self._ask(connection, is_kept), PATIENCE)
            except Closed:
                self.again += 1
                connection = None
                continue
            except (OSError, ValueError, KeyError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
                with self.changed:
                    self.failures.append(f"{time.monotonic():.3f} {type(error).__name__} {error}")
                    self.changed.notify_all()
                connection = None
            try:
                await asyncio.wait_for(self.over.wait(), self.pause)
            except asyncio.TimeoutError:
                pass
        if connection:
            connection[1].close()
