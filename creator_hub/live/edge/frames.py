"""WebSocket frames (RFC 6455), server side: bytes in, messages out, and the reverse. No sockets here.

What the server sends is never masked, so one byte string serves every reader. No extension is offered, so the reserved
bits must be clear.
"""

from __future__ import annotations

from collections.abc import Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_DATA = frozenset({TEXT, BINARY})
_CONTROL = frozenset({CLOSE, PING, PONG})
_LONGEST_CONTROL = 125

NORMAL, GOING_AWAY, PROTOCOL_ERROR, INVALID_TEXT, POLICY, TOO_BIG, RESTART = 1000, 1001, 1002, 1007, 1008, 1009, 1012
_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})

Message = tuple[int, str | bytes]


class FrameError(Exception):
    """The peer broke the protocol; `code` is the close code to answer with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole unmasked frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def message(data: str | bytes) -> bytes:
    """A text or binary message as one frame."""
    return frame(TEXT, data.encode()) if isinstance(data, str) else frame(BINARY, data)


def close(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, code.to_bytes(2, "big") + reason.encode()[: _LONGEST_CONTROL - 2])


def close_code(payload: bytes) -> int:
    """The code of a received close frame (1000 when it has none); raises FrameError for one that must not be sent."""
    if not payload:
        return NORMAL
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _CLOSE_CODES or 3000 <= code < 5000):
        raise FrameError(PROTOCOL_ERROR, "invalid close code")
    _decode(payload[2:])
    return code


def unmask(payload: bytes, key: bytes) -> bytes:
    """XOR with the repeated key, as one long integer: the fastest that plain Python has."""
    size = len(payload)
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ mask).to_bytes(size, "little")


class Parser:
    """Feeds on whatever the socket gives and yields whole messages; keeps at most one unfinished message."""

    __slots__ = ("_fragments", "_held", "_need", "_opcode", "largest")

    def __init__(self, largest: int) -> None:
        self.largest = largest  # bytes of one message, however many frames it comes in
        self._held: bytearray | None = None  # the beginning of a frame
        self._need = 2  # how long `_held` must be before looking at it again: a dripping peer costs no rescans
        self._fragments: bytearray | None = None  # one run of bytes: a million empty fragments take no room
        self._opcode = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are complete now: text as str, binary and control payloads as bytes. What came before a
        FrameError is yielded first."""
        if self._held is not None:
            self._held += data
            if len(self._held) < self._need:
                return
            data, self._held = bytes(self._held), None
        at, size = 0, len(data)
        while at < size:
            start, end = self._measure(data, at)
            if end > size:
                self._held, self._need = bytearray(data[at:]), end - at
                return
            whole = self._take(data[at], unmask(data[start:end], data[start - 4 : start]))
            at = end
            if whole is not None:
                yield whole

    def _measure(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the payload of the frame at `at` begins and ends; beyond the data when more is needed to know."""
        if len(data) - at < 2:
            return 0, at + 2
        first, second = data[at], data[at + 1]
        length, start = second & 0x7F, at + 6
        self._check(first, second, length)
        if length >= 126:
            width = 2 if length == 126 else 8
            start += width
            if len(data) < at + 2 + width:
                return 0, at + 2 + width
            length = int.from_bytes(data[at + 2 : at + 2 + width], "big")
            if length < (126 if width == 2 else 65536):
                raise FrameError(PROTOCOL_ERROR, "length not in its shortest form")
        before = len(self._fragments) if self._fragments is not None and not first & 0x0F else 0
        if before + length > self.largest:
            raise FrameError(TOO_BIG, "message too big")
        return start, start + length

    def _check(self, first: int, second: int, length: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise FrameError(PROTOCOL_ERROR, "reserved bit set")
        if not second & 0x80:
            raise FrameError(PROTOCOL_ERROR, "frame not masked")
        if opcode in _CONTROL:
            if not first & 0x80 or length > _LONGEST_CONTROL:
                raise FrameError(PROTOCOL_ERROR, "control frame fragmented or too long")
        elif opcode in _DATA:
            if self._fragments is not None:
                raise FrameError(PROTOCOL_ERROR, "message inside a fragmented message")
        elif opcode != CONTINUATION or self._fragments is None:
            raise FrameError(PROTOCOL_ERROR, "unexpected opcode")

    def _take(self, first: int, payload: bytes) -> Message | None:
        """Account for one whole frame; the message it completes, if any."""
        opcode, final = first & 0x0F, first & 0x80
        if opcode in _CONTROL:
            return opcode, payload
        if opcode == CONTINUATION and self._fragments is not None:
            self._fragments += payload
            if not final:
                return None
            payload, self._fragments = bytes(self._fragments), None
            return _typed(self._opcode, payload)
        if final:
            return _typed(opcode, payload)
        self._opcode, self._fragments = opcode, bytearray(payload)
        return None


def _typed(opcode: int, payload: bytes) -> Message:
    return (TEXT, _decode(payload)) if opcode == TEXT else (BINARY, payload)


def _decode(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise FrameError(INVALID_TEXT, "text is not UTF-8") from None
