"""The opening handshake of a WebSocket (RFC 6455, section 4.2)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

Refusal = tuple[str, list[tuple[str, str]], str]  # status, headers, text
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def refusal(environ: dict[str, Any]) -> Refusal | None:
    """Why this request is no valid opening handshake; None when it is one."""
    connection = {token.strip().lower() for token in environ.get("HTTP_CONNECTION", "").split(",")}
    if "upgrade" not in connection or environ.get("HTTP_UPGRADE", "").lower() != "websocket":
        return "400 BAD REQUEST", [], "not a WebSocket handshake"
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        return "426 UPGRADE REQUIRED", [("Sec-WebSocket-Version", "13")], "WebSocket version 13 only"
    try:
        key = base64.b64decode(environ.get("HTTP_SEC_WEBSOCKET_KEY", ""), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    return None if len(key) == 16 else ("400 BAD REQUEST", [], "bad Sec-WebSocket-Key")


def answer(environ: dict[str, Any]) -> bytes:
    """The 101 that opens the connection: no extension, no subprotocol."""
    key = environ["HTTP_SEC_WEBSOCKET_KEY"].strip() + GUID
    accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
    return (
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n"
    ).encode()
