"""What a socket's kernel buffer did not take, in order, until it takes more. Exists only while a reader lags."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from creator_hub.live.edge.hooks import io_watcher

AT_ONCE = 128 * 1024  # offered to the kernel in one write
MOST_EVENTS = 256
MOST_BYTES = 1024 * 1024


class Backlog:
    """Calls `writable` whenever the kernel takes more."""

    __slots__ = ("_chunks", "_watcher", "bytes", "drained", "events")

    def __init__(self, fd: int, writable: Callable[[], None]) -> None:
        self._chunks: deque[tuple[bytes, int]] = deque()
        self.bytes = 0
        self.events = 0  # catch-up pages, acknowledgements of the protocol and pings count as none
        self.drained: list[Callable[[], None]] = []
        self._watcher = io_watcher(fd, 2)
        self._watcher.start(writable)

    def add(self, data: bytes, events: int) -> None:
        self._chunks.append((data, events))
        self.bytes += len(data)
        self.events += events

    @property
    def too_much(self) -> bool:
        return self.events > MOST_EVENTS or self.bytes > MOST_BYTES

    def flush(self, send: Callable[[bytes], int]) -> bool:
        """Write what the kernel takes; True when nothing is left. Raises OSError for a broken socket."""
        chunks = self._chunks
        while chunks:
            data, events = self._gather()
            try:
                taken = send(data)
            except BlockingIOError:
                taken = 0
            self.bytes -= taken
            if taken < len(data):
                chunks.appendleft((data[taken:], events))
                return False
            self.events -= events
        return True

    def _gather(self) -> tuple[bytes, int]:
        """Small frames leave together."""
        chunks = self._chunks
        data, events = chunks.popleft()
        parts, size = [data], len(data)
        while chunks and size < AT_ONCE:
            data, more = chunks.popleft()
            parts.append(data)
            size += len(data)
            events += more
        return (parts[0] if len(parts) == 1 else b"".join(parts)), events

    def close(self) -> None:
        """Stop watching, and tell whoever waited for the end."""
        self._watcher.stop()
        self._watcher.close()
        for callback in self.drained:
            callback()
