"""The Socket.IO server of the fast edge: packets checked before they mean anything, events in a client's order."""

from __future__ import annotations

from typing import Any

from socketio import Server, packet

from creator_hub.live.edge.context import lean
from creator_hub.live.edge.engine import BadPacket, FastEngine

MOST_ATTACHMENTS = 16
# Names that a client's event must not carry: the server's own handlers listen to them.
RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting"})
_EVENTS = (packet.EVENT, packet.BINARY_EVENT)
_ACKS = (packet.ACK, packet.BINARY_ACK)


class FastServer(Server):  # type: ignore[misc]
    """Runs in the workers of its engine, one packet of a client after the other."""

    def _engineio_server_class(self) -> type[FastEngine]:
        return FastEngine

    def get_environ(self, sid: str, namespace: str | None = None) -> dict[str, Any] | None:
        """A copy: what connections have in common is kept once."""
        environ = super().get_environ(sid, namespace)
        return dict(environ) if environ else None

    def _handle_eio_message(self, eio_sid: str, data: str | bytes) -> None:
        waiting = self._binary_packet.get(eio_sid)
        if waiting is None:
            self._take(eio_sid, decode(data))
        elif self._attached(waiting, data):
            del self._binary_packet[eio_sid]
            self._dispatch(eio_sid, waiting)

    def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        self._binary_packet.pop(eio_sid, None)
        super()._handle_eio_disconnect(eio_sid, reason)

    def _take(self, eio_sid: str, pkt: Any) -> None:
        if pkt.packet_type == packet.CONNECT:
            self._handle_connect(eio_sid, pkt.namespace, pkt.data)
            if eio_sid in self.environ:
                self.environ[eio_sid] = lean(self.environ[eio_sid])
        elif pkt.packet_type == packet.DISCONNECT:
            self._handle_disconnect(eio_sid, pkt.namespace, self.reason.CLIENT_DISCONNECT)
        elif pkt.attachment_count:
            if self.manager.sid_from_eio_sid(eio_sid, pkt.namespace or "/") is None:
                raise BadPacket("binary packet before connecting")
            self._binary_packet[eio_sid] = pkt
        else:
            self._dispatch(eio_sid, pkt)

    def _dispatch(self, eio_sid: str, pkt: Any) -> None:
        if pkt.packet_type in _EVENTS:
            self._handle_event(eio_sid, pkt.namespace, pkt.id, pkt.data)
        elif self.manager.sid_from_eio_sid(eio_sid, pkt.namespace or "/") is not None:
            self._handle_ack(eio_sid, pkt.namespace, pkt.id, pkt.data)

    def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: list[Any]) -> None:
        """In this greenlet: the workers already are beside the hub, and a client's events stay in order."""
        namespace = namespace or "/"
        sid = self.manager.sid_from_eio_sid(eio_sid, namespace)
        if sid is not None and self.manager.is_connected(sid, namespace):
            self._handle_event_internal(self, sid, eio_sid, data, namespace, id)

    @staticmethod
    def _attached(waiting: Any, data: str | bytes) -> bool:
        if not isinstance(data, bytes):
            raise BadPacket("an attachment was to come")
        try:
            return bool(waiting.add_attachment(data))
        except (ValueError, IndexError, TypeError):
            raise BadPacket("attachments do not fit") from None


def decode(data: str | bytes) -> Any:
    """The Socket.IO packet in an Engine.IO message; BadPacket for anything the protocol does not allow a client."""
    if not isinstance(data, str) or data[:1] not in {"0", "1", "2", "3", "5", "6"}:
        raise BadPacket("unknown packet type")
    try:
        pkt = packet.Packet(encoded_packet=data)
    except (ValueError, RecursionError):
        raise BadPacket("packet cannot be read") from None
    if pkt.attachment_count > MOST_ATTACHMENTS or bool(pkt.attachment_count) != (data[0] in "56"):
        raise BadPacket("wrong number of attachments")
    if not _is_allowed(pkt):
        raise BadPacket("payload does not fit the packet type")
    return pkt


def _is_allowed(pkt: Any) -> bool:
    data = pkt.data
    if pkt.packet_type in _EVENTS:
        return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in RESERVED
    if pkt.packet_type in _ACKS:
        return isinstance(data, list) and pkt.id is not None
    if pkt.packet_type == packet.CONNECT:
        return data is None or isinstance(data, dict)
    return data is None
