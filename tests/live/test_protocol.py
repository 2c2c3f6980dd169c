"""The protocol of the socket edge, byte by byte, on both paths: WebSocket, Engine.IO 4, Socket.IO 5."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.live.conftest import Echo
from tests.support.hub import eventually
from tests.support.wire import BINARY, CLOSE, PATH, PING, PONG, TEXT, Wire, client_frame

CONTINUATION = 0
fast_only = pytest.mark.parametrize("echo", ["fast"], indirect=True)


@pytest.fixture
def wire(echo: Echo) -> Callable[..., Wire]:
    return lambda **how: Wire(echo.port, **how)


# -- opening ---------------------------------------------------------------------------------------------------------


def test_the_handshake_proves_itself_and_opens_with_the_server_s_terms(echo: Echo) -> None:
    with Wire(echo.port) as ana:
        assert ana.status == 101
        assert f"sec-websocket-accept: {ana.accepted}".lower() in ana.head.lower()
        assert "extensions" not in ana.head.lower()
        terms = ana.opened()
        assert terms["upgrades"] == []
        assert (terms["pingInterval"], terms["pingTimeout"], terms["maxPayload"]) == (25_000, 20_000, 100_000)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/socket.io/?EIO=4&transport=polling", {}),
        ("/socket.io/?EIO=4", {}),
        ("/socket.io/?EIO=3&transport=websocket", {}),
        ("/socket.io/?EIO=4&transport=websocket&sid=unknown", {}),
        (PATH, {"Upgrade": ""}),
        (PATH, {"Origin": "https://evil.test"}),
    ],
)
def test_no_polling_no_old_version_no_unknown_session_no_other_origin(
    echo: Echo, path: str, headers: dict[str, str]
) -> None:
    with Wire(echo.port, path=path, headers=headers) as refused:
        assert refused.status == 400


def test_the_page_s_own_origin_is_let_in(echo: Echo) -> None:
    with Wire(echo.port, headers={"Origin": f"http://127.0.0.1:{echo.port}"}) as ana:
        assert ana.status == 101


@fast_only
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Sec-WebSocket-Key": ""}, 400),
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Connection": "close"}, 400),
    ],
)
def test_a_malformed_handshake_is_refused(echo: Echo, headers: dict[str, str], status: int) -> None:
    with Wire(echo.port, headers=headers) as refused:
        assert refused.status == status


def test_a_namespace_is_joined_once_and_others_do_not_exist(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        assert ana.join()
        ana.send("40/admin,")
        assert ana.text().startswith("44/admin,")
        ana.emit("echo", 1, number=7)
        assert ana.ack(7) == [1]


def test_who_is_refused_is_told_why_and_may_not_act(wire: Callable[..., Wire]) -> None:
    with wire() as bo:
        bo.opened()
        bo.send('40{"refuse":true}')
        assert bo.text() == '44{"message":"not you"}'
        bo.emit("echo", 1, number=1)
        bo.send("40")
        assert bo.text().startswith("40{")


# -- events, acknowledgements, binary --------------------------------------------------------------------------------


def test_events_are_acknowledged_in_the_order_they_were_sent(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        for number in range(50):
            ana.emit("echo", number, {"text": "grüße 🌊"}, number=number)
        for number in range(50):
            assert ana.ack(number) == [number, {"text": "grüße 🌊"}]


def test_a_room_hears_what_is_said_and_whoever_left_does_not(wire: Callable[..., Wire]) -> None:
    with wire() as ana, wire() as bo, wire() as chen:
        for one in (ana, bo, chen):
            one.join()
            one.emit("join", "kitchen", number=1)
            assert one.ack(1) == ["in"]
        chen.emit("leave", "kitchen", number=2)
        assert chen.ack(2) == ["out"]
        ana.emit("say", "kitchen", "soup", {"n": 1}, number=3)
        assert {ana.text(), ana.text()} == {'42["said","soup",{"n":1}]', '433["said"]'}
        assert bo.event() == ["said", "soup", {"n": 1}]
        chen.emit("echo", "still here", number=4)
        assert chen.ack(4) == ["still here"]


@pytest.mark.parametrize("size", [1, 100, 130, 70_000])
def test_short_medium_and_long_frames_go_both_ways(wire: Callable[..., Wire], size: int) -> None:
    with wire() as ana:
        ana.join()
        ana.emit("echo", "x" * size, number=1)
        assert ana.ack(1) == ["x" * size]


def test_binary_goes_both_ways(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        ana.send('452-1["echo",{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":0}}]')
        ana.frame(BINARY, b"\x00first")
        ana.frame(BINARY, b"\xffsecond")
        text = ana.text()
        assert text.startswith("462-1[")
        given = json.loads(text[5:])
        parts = {ana.next()[1] for _ in range(2)}
        assert parts == {b"\x00first", b"\xffsecond"}
        assert given == [{"_placeholder": True, "num": 0}, {"a": {"_placeholder": True, "num": 1}}]


def test_a_message_in_fragments_with_a_ping_between_is_one_message(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        text = b'421["echo","in pieces"]'
        ana.frame(TEXT, text[:3], final=False)
        ana.frame(PING, b"alive?")
        ana.frame(CONTINUATION, text[3:10], final=False)
        ana.frame(CONTINUATION, text[10:])
        assert ana.next() == (PONG, b"alive?")
        assert ana.ack(1) == ["in pieces"]


def test_frames_that_drip_in_byte_by_byte_are_understood(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        for byte in client_frame(TEXT, b'421["echo",1]'):
            ana.socket.sendall(bytes((byte,)))
        assert ana.ack(1) == [1]


def test_a_handler_may_ask_its_own_client_and_wait(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        ana.emit("ask", number=1)
        question = ana.text()
        assert question.startswith("42")
        assert question.endswith('["question","why?"]')
        ana.send("43" + question[2:].split("[")[0] + '["because"]')
        assert ana.ack(1) == ["because"]


def test_a_handler_that_fails_harms_nobody(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        ana.emit("fail", number=1)
        ana.emit("echo", "on we go", number=2)
        assert ana.ack(2) == ["on we go"]


def test_events_before_a_namespace_and_unknown_events_are_not_answered(wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.opened()
        ana.emit("echo", "too early", number=1)
        ana.send("40")
        assert ana.text().startswith("40{")
        ana.emit("nonsense", number=2)
        ana.emit("echo", "now", number=3)
        assert ana.ack(3) == ["now"]


@fast_only
def test_handlers_know_language_and_address_but_no_cookies(echo: Echo) -> None:
    with Wire(echo.port, headers={"Accept-Language": "de", "Cookie": "secret=1"}) as ana:
        ana.join()
        ana.emit("language", number=1)
        assert ana.ack(1) == ["de", "127.0.0.1", None]


# -- closing ---------------------------------------------------------------------------------------------------------


def test_a_closing_client_is_answered_and_its_leaving_is_told(echo: Echo) -> None:
    with Wire(echo.port) as ana:
        sid = ana.join()
        assert sid
        ana.frame(CLOSE, (1000).to_bytes(2, "big") + b"bye")
        assert ana.closed() == 1000
    eventually(lambda: echo.state()["here"] == 0, "she is gone")


def test_an_engine_io_close_ends_the_connection(echo: Echo, wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        ana.send("1")
        if echo.mode == "fast":
            assert ana.closed() == 1000
    eventually(lambda: echo.state()["here"] == 0, "she is gone")
    assert echo.state()["gone"][-1] == "client disconnect"


def test_leaving_the_namespace_keeps_the_connection(echo: Echo, wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        ana.send("41")
        eventually(lambda: echo.state()["here"] == 0, "she left")
        ana.send("40")
        assert ana.text().startswith("40{")


def test_what_was_sent_before_a_sudden_end_is_still_done(echo: Echo, wire: Callable[..., Wire]) -> None:
    with wire() as ana, wire() as bo:
        ana.join()
        ana.emit("join", "kitchen", number=1)
        ana.ack(1)
        bo.join()
        bo.socket.sendall(b"".join(client_frame(TEXT, b'42["say","kitchen",%d]' % n) for n in range(20)))
        bo.socket.close()
        heard = [ana.event()[1] for _ in range(20)]
        assert sorted(heard) == list(range(20))
    eventually(lambda: echo.state()["here"] == 0, "both are gone")


@fast_only
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(client_frame(TEXT, b'42["echo",1]', masked=False), 1002, id="not masked"),
        pytest.param(client_frame(TEXT, b"4", reserved=0x40), 1002, id="reserved bit"),
        pytest.param(client_frame(5, b""), 1002, id="unknown opcode"),
        pytest.param(client_frame(TEXT, b'42["echo","\xff"]'), 1007, id="not UTF-8"),
        pytest.param(client_frame(TEXT, b"x" * 100_001), 1009, id="too long"),
        pytest.param(
            client_frame(TEXT, b"x" * 60_000, final=False) + client_frame(CONTINUATION, b"x" * 60_000),
            1009,
            id="too long in fragments",
        ),
        pytest.param(client_frame(CLOSE, b"\x03"), 1002, id="close without a code"),
        pytest.param(client_frame(TEXT, b""), 1002, id="empty packet"),
        pytest.param(client_frame(TEXT, b"abc"), 1002, id="unknown packet"),
        pytest.param(client_frame(TEXT, b"2"), 1002, id="a ping is the server's"),
        pytest.param(client_frame(TEXT, b"4"), 1002, id="empty message"),
        pytest.param(client_frame(TEXT, b"4x"), 1002, id="unknown message"),
        pytest.param(client_frame(TEXT, b"42{}"), 1002, id="event without a list"),
        pytest.param(client_frame(TEXT, b"42[]"), 1002, id="event without a name"),
        pytest.param(client_frame(TEXT, b"42[1]"), 1002, id="name not text"),
        pytest.param(client_frame(TEXT, b'42["echo"'), 1002, id="cut JSON"),
        pytest.param(client_frame(TEXT, b'42abc["echo",1]'), 1002, id="number not a number"),
        pytest.param(client_frame(TEXT, b'42["connect",{}]'), 1002, id="reserved connect"),
        pytest.param(client_frame(TEXT, b'42["disconnect"]'), 1002, id="reserved disconnect"),
        pytest.param(client_frame(TEXT, b"42" + b"[" * 50_000), 1002, id="nested too deep"),
        pytest.param(client_frame(TEXT, b"43[1]"), 1002, id="answer to nothing"),
        pytest.param(client_frame(TEXT, b'44{"message":"no"}'), 1002, id="client error"),
        pytest.param(client_frame(TEXT, b'4599999-["echo"]'), 1002, id="too many attachments"),
        pytest.param(
            client_frame(TEXT, b'451-["echo",{"_placeholder":true,"num":3}]') + client_frame(BINARY, b"x"),
            1002,
            id="attachment that is not there",
        ),
        pytest.param(
            client_frame(TEXT, b'451-["echo"]') + client_frame(TEXT, b'42["echo"]'), 1002, id="text for attachment"
        ),
        pytest.param(client_frame(BINARY, b"out of the blue"), 1002, id="binary out of the blue"),
    ],
)
def test_whoever_breaks_the_protocol_is_closed_with_the_code_and_alone(echo: Echo, sent: bytes, code: int) -> None:
    with Wire(echo.port) as ana, Wire(echo.port) as bo:
        ana.join()
        bo.join()
        bo.socket.sendall(sent)
        assert bo.closed() == code
        ana.emit("echo", "unharmed", number=1)
        assert ana.ack(1) == ["unharmed"]
    eventually(lambda: echo.state()["here"] == 0, "both are gone")


@pytest.mark.parametrize("sent", ["4x", "42{}", "42[]", '42["echo"', "b4", '43["x"]', '44"no"'])
def test_nonsense_harms_nobody_else(wire: Callable[..., Wire], sent: str) -> None:
    with wire() as ana, wire() as bo:
        ana.join()
        bo.join()
        bo.send(sent)
        ana.emit("echo", "unharmed", number=1)
        assert ana.ack(1) == ["unharmed"]


# -- time ------------------------------------------------------------------------------------------------------------


def test_a_client_that_answers_pings_stays_and_one_that_does_not_is_closed(impatient: Echo) -> None:
    with Wire(impatient.port) as ana, Wire(impatient.port) as bo:
        ana.join()
        bo.join()
        while "ping timeout" not in impatient.state()["gone"]:
            assert ana.next() == (TEXT, b"2")
            ana.send("3")
        if impatient.mode == "fast":
            assert (bo.closed(), bo.pings) == (1008, 1)
        ana.emit("echo", "still here", number=1)
        assert ana.ack(1) == ["still here"]


@pytest.mark.parametrize("impatient", ["fast"], indirect=True)
def test_whoever_joins_no_namespace_in_time_is_closed(impatient: Echo) -> None:
    with Wire(impatient.port) as nobody:
        nobody.opened()
        assert nobody.closed() == 1008


# -- one port --------------------------------------------------------------------------------------------------------


def test_http_goes_on_beside_the_sockets_and_can_speak_to_a_room(echo: Echo, wire: Callable[..., Wire]) -> None:
    with wire() as ana:
        ana.join()
        ana.emit("join", "kitchen", number=1)
        ana.ack(1)
        for n in range(3):
            assert echo.post("/say/kitchen", {"n": n}) == "said"
            assert ana.event() == ["said", {"n": n}]


def test_a_stopping_server_says_goodbye(echo_own: Callable[[str], Echo]) -> None:
    echo = echo_own("fast")
    with Wire(echo.port) as ana:
        ana.join()
        echo.stop()
        assert ana.closed() == 1012
