"""The frame parser: however the bytes are cut, the same messages come out; whatever breaks the rules is refused."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creator_hub.live.edge import frames
from creator_hub.live.edge.frames import FrameError, Parser
from tests.support.wire import BINARY, CLOSE, PING, TEXT, client_frame

CONTINUATION = 0
PIECES = st.lists(st.binary(max_size=300), min_size=1, max_size=5)
MESSAGES = st.lists(st.tuples(st.sampled_from(["text", "binary", "ping"]), PIECES), max_size=6)


def heard(parser: Parser, *chunks: bytes) -> list[frames.Message]:
    return [message for chunk in chunks for message in parser.feed(chunk)]


def test_frames_cut_at_every_byte_are_the_same_messages() -> None:
    stream = (
        client_frame(TEXT, "grüße".encode())
        + client_frame(BINARY, b"", final=False)
        + client_frame(PING, b"between")
        + client_frame(CONTINUATION, b"\x00" * 200)
        + client_frame(TEXT, b"x" * 70_000)
    )
    expected = [(TEXT, "grüße"), (PING, b"between"), (BINARY, b"\x00" * 200), (TEXT, "x" * 70_000)]
    assert heard(Parser(100_000), stream) == expected
    for cut in [*range(1, 400), len(stream) - 1]:
        assert heard(Parser(100_000), stream[:cut], stream[cut:]) == expected
    assert heard(Parser(100_000), *(stream[n : n + 1] for n in range(len(stream)))) == expected


@settings(deadline=None)
@given(messages=MESSAGES, cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_any_messages_in_any_fragments_cut_anywhere_come_out_whole(
    messages: list[tuple[str, list[bytes]]], cuts: list[int]
) -> None:
    stream, expected = b"", []
    for kind, pieces in messages:
        whole = b"".join(pieces)
        if kind == "ping":
            stream += client_frame(PING, whole[:125])
            expected.append((PING, whole[:125]))
            continue
        pieces = [piece.hex().encode() for piece in pieces] if kind == "text" else pieces
        opcode = TEXT if kind == "text" else BINARY
        for n, piece in enumerate(pieces):
            stream += client_frame(CONTINUATION if n else opcode, piece, final=n == len(pieces) - 1)
        expected.append((opcode, whole.hex() if kind == "text" else whole))
    edges = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    chunks = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert heard(Parser(10_000), *chunks) == expected


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused_or_waited_for_but_never_crashes(noise: bytes) -> None:
    with contextlib.suppress(FrameError):
        heard(Parser(1_000), noise)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (client_frame(TEXT, b"x", masked=False), frames.PROTOCOL_ERROR),
        (client_frame(TEXT, b"x", reserved=0x40), frames.PROTOCOL_ERROR),
        (client_frame(3, b"x"), frames.PROTOCOL_ERROR),
        (client_frame(11, b"x"), frames.PROTOCOL_ERROR),
        (client_frame(CONTINUATION, b"x"), frames.PROTOCOL_ERROR),
        (client_frame(TEXT, b"x", final=False) + client_frame(TEXT, b"y"), frames.PROTOCOL_ERROR),
        (client_frame(PING, b"x", final=False), frames.PROTOCOL_ERROR),
        (client_frame(PING, b"x" * 126), frames.PROTOCOL_ERROR),
        (bytes((0x81, 0xFE, 0, 5)), frames.PROTOCOL_ERROR),
        (bytes((0x81, 0xFF)) + (5).to_bytes(8, "big"), frames.PROTOCOL_ERROR),
        (bytes((0x81, 0xFF)) + (2**63).to_bytes(8, "big"), frames.TOO_BIG),
        (client_frame(TEXT, b"\xff"), frames.INVALID_TEXT),
        (client_frame(TEXT, b"\xed\xa0\x80"), frames.INVALID_TEXT),
        (client_frame(TEXT, b"\xc3", final=False) + client_frame(CONTINUATION, b"("), frames.INVALID_TEXT),
        (bytes((0x81, 0xFE)) + (1001).to_bytes(2, "big"), frames.TOO_BIG),
        (client_frame(BINARY, b"x" * 600, final=False) + client_frame(CONTINUATION, b"x" * 401), frames.TOO_BIG),
    ],
    ids=range(16),
)
def test_what_breaks_the_rules_is_refused_with_its_code(stream: bytes, code: int) -> None:
    with pytest.raises(FrameError) as caught:
        heard(Parser(1_000), stream)
    assert caught.value.code == code


def test_what_came_before_the_break_is_still_heard() -> None:
    feeding = Parser(1_000).feed(client_frame(TEXT, b"fine") + client_frame(3, b""))
    assert next(feeding) == (TEXT, "fine")
    with pytest.raises(FrameError):
        next(feeding)


def test_a_character_may_be_cut_between_fragments() -> None:
    first, second = "ü".encode()[:1], "ü".encode()[1:]
    stream = client_frame(TEXT, first, final=False) + client_frame(CONTINUATION, second)
    assert heard(Parser(10), stream) == [(TEXT, "ü")]


def test_empty_fragments_take_no_room_however_many() -> None:
    parser = Parser(10)
    heard(parser, client_frame(TEXT, b"a", final=False))
    for _ in range(1_000):
        assert heard(parser, client_frame(CONTINUATION, b"", final=False)) == []
    assert heard(parser, client_frame(CONTINUATION, b"b")) == [(TEXT, "ab")]


@pytest.mark.parametrize(
    "payload",
    [b"\x03", (999).to_bytes(2, "big"), (1005).to_bytes(2, "big"), (1006).to_bytes(2, "big"), b"\x03\xe8\xff"],
)
def test_close_frames_that_must_not_be_sent_are_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        frames.close_code(payload)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_what_the_server_sends_has_its_shortest_length(size: int) -> None:
    sent = frames.message(b"x" * size)
    width = {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[size]
    assert sent[0] == 0x80 | BINARY
    assert not sent[1] & 0x80
    assert len(sent) == width + size
    assert frames.close(1000, "bye") == bytes((0x80 | CLOSE, 5, 3, 232)) + b"bye"
