"""A WebSocket client that can misbehave: frames by hand, over a plain socket."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
PATH = "/socket.io/?EIO=4&transport=websocket"
PATIENCE_S = 15.0


def client_frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    first = (0x80 if final else 0) | reserved | opcode
    mask_bit = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = bytes((first, mask_bit | size))
    elif size < 65536:
        head = bytes((first, mask_bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, mask_bit | 127)) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    key = b"\x12\x9a\x05\xf1"
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))


class Wire:
    """One connection. `text()` and friends wait for the next frame of their kind and fail on another."""

    def __init__(self, port: int, *, path: str = PATH, headers: dict[str, str] | None = None, buffer: int = 0) -> None:
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", port))
        self._held = b""
        self._opening = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
            **(headers or {}),
        }
        asked = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{asked}\r\n".encode())
        self.head = self._until(b"\r\n\r\n").decode()
        self.status = int(self.head.split()[1])
        proof = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False)
        self.accepted = base64.b64encode(proof.digest()).decode()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    # -- sending -----------------------------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        self.frame(TEXT, text.encode())

    def frame(self, opcode: int, payload: bytes, **how: Any) -> None:
        self.socket.sendall(client_frame(opcode, payload, **how))

    def emit(self, *event: Any, number: int | None = None) -> None:
        self.send(f"42{'' if number is None else number}{json.dumps(event)}")

    # -- receiving ---------------------------------------------------------------------------------------------------

    def next(self) -> tuple[int, bytes]:
        """The next whole frame, which must be unmasked and final. Raises EOFError at the end."""
        first, second = self._exactly(2)
        assert first & 0x80, "the server never fragments"
        assert not second & 0x80, "a server's frame is not masked"
        size = second
        if size >= 126:
            size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
        return first & 0x0F, self._exactly(size)

    def text(self) -> str:
        """The next text frame that is no Engine.IO ping."""
        while True:
            opcode, payload = self.next()
            if opcode != TEXT or payload != b"2":
                assert opcode == TEXT, (opcode, payload)
                return payload.decode()

    def event(self) -> list[Any]:
        text = self.text()
        assert text.startswith("42"), text
        told: list[Any] = json.loads(text[2:])
        return told

    def ack(self, number: int) -> list[Any]:
        text = self.text()
        assert text.startswith(f"43{number}["), text
        told: list[Any] = json.loads(text[2 + len(str(number)) :])
        return told

    def closed(self) -> int | None:
        """Read to the end; the code of the close frame, None when there was none. Counts the Engine.IO pings."""
        code, self.pings = None, 0
        try:
            for opcode, payload in iter(self.next, None):
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2], "big") if payload else 1000
                self.pings += payload == b"2"
        except (EOFError, ConnectionError):
            return code

    def texts(self) -> Iterator[str]:
        while True:
            yield self.text()

    # -- the two handshakes above the WebSocket's ----------------------------------------------------------------------

    def opened(self) -> dict[str, Any]:
        """The Engine.IO opening packet."""
        text = self.text()
        assert text.startswith("0"), text
        told: dict[str, Any] = json.loads(text[1:])
        return told

    def join(self, auth: dict[str, Any] | None = None) -> str:
        """Engine.IO opening, then the default namespace; the sid."""
        self.opened()
        self.send("40" + (json.dumps(auth) if auth else ""))
        text = self.text()
        assert text.startswith("40"), text
        return str(json.loads(text[2:])["sid"])

    def _exactly(self, size: int) -> bytes:
        while len(self._held) < size:
            self._more()
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def _until(self, end: bytes) -> bytes:
        while end not in self._held:
            self._more()
        taken, self._held = self._held.split(end, 1)
        return taken

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError
        self._held += data
