"""Fans on two web processes hear one conversation: in order, once each, through drops, restarts and bans."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
import redis
import socketio

from tests.live.conftest import Hub
from tests.support.hub import Fan, Web, eventually

Sit = Callable[[str, Web], Fan]
# The rest of this room's tests run on the default path; `HUB_SOCKET_EDGE=stock pytest tests/live` takes all the other.
both_paths = pytest.mark.parametrize("hub", ["fast", "stock"], indirect=True)


@both_paths
def test_fans_on_two_processes_hear_each_other_in_one_order(hub: Hub, joined: Sit) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)
    for n in range(10):
        assert ana.say(hub.channel, f"ana {n}")["ok"]
        assert bo.say(hub.channel, f"bo {n}")["ok"]
    eventually(lambda: len(ana.texts(hub.channel)) == 20 and len(bo.texts(hub.channel)) == 20, "both heard all")
    assert ana.texts(hub.channel) == bo.texts(hub.channel)
    assert ana.seqs(hub.channel) == sorted(set(ana.seqs(hub.channel)))


def test_a_retry_with_the_same_id_is_one_message_and_the_same_answer(hub: Hub, joined: Sit) -> None:
    ana = joined("ana", hub.first)
    mine = str(uuid.uuid4())
    once, again = ana.say(hub.channel, "hello", mine), ana.say(hub.channel, "hello", mine)
    assert once == again
    other = ana.say(hub.channel, "something else", mine)
    assert other["error"]["code"] == "same_key_other_body"
    eventually(lambda: ana.texts(hub.channel) == ["hello"], "one message")


@both_paths
def test_a_dropped_connection_catches_up_without_loss_or_double(hub: Hub, joined: Sit) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)
    bo.say(hub.channel, "before")
    eventually(lambda: ana.texts(hub.channel) == ["before"], "ana heard")
    last = ana.seqs(hub.channel)[-1]
    ana.socket.disconnect()
    for n in range(30):
        bo.say(hub.channel, f"missed {n}")
    ana.heard.clear()
    ana.connect(hub.second)
    ana.join(hub.channel, after_seq=last)
    assert ana.texts(hub.channel) == ["before", *(f"missed {n}" for n in range(30))]


def test_a_killed_web_process_loses_nothing_that_was_acknowledged(hub: Hub, joined: Sit) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)
    acked = [f"word {n}" for n in range(10) if ana.say(hub.channel, f"word {n}")["ok"]]
    hub.first.kill()
    eventually(lambda: bo.texts(hub.channel) == acked, "bo has all that was acknowledged")
    hub.first.start()
    ana.heard.clear()
    ana.events.clear()
    ana.connect(hub.first)
    ana.join(hub.channel, after_seq=0)
    assert ana.texts(hub.channel) == acked
    assert ana.seqs(hub.channel) == list(range(1, len(ana.seqs(hub.channel)) + 1))


@both_paths
def test_a_banned_fan_hears_nothing_said_afterwards(hub: Hub, joined: Sit) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)
    bo_id = bo.http.get(hub.first.url + "/api/v1/me").json()["id"]
    hub.mei.post(hub.first, "/groups/mei/bans", user_id=bo_id, reason="spam")
    ana.say(hub.channel, "is he gone?")
    revoked = eventually(lambda: bo.has_heard("access.revoked"), "bo is put out")
    assert revoked == [{"channel_id": hub.channel, "reason": "banned"}]
    eventually(lambda: "is he gone?" in ana.texts(hub.channel), "ana heard herself")
    assert bo.texts(hub.channel) == []
    assert bo.say(hub.channel, "let me in")["error"]["code"] == "not_found"
    assert bo.call("channel.join", channel_id=hub.channel, after_seq=0)["error"]["code"] == "not_found"


def test_signing_out_takes_the_open_socket_out_of_its_channels(hub: Hub, joined: Sit) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)
    bo.send(hub.first, "DELETE", "/session")
    ana.say(hub.channel, "after he signed out")
    eventually(lambda: bo.has_heard("access.revoked"), "bo is put out")
    eventually(lambda: not bo.socket.connected, "the socket is closed")
    assert bo.texts(hub.channel) == []


def test_without_redis_messages_still_arrive(hub: Hub, joined: Sit, redis_url: str) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)
    with redis.Redis.from_url(redis_url) as client:
        client.client_kill_filter(_type="pubsub")
    assert ana.say(hub.channel, "nobody was told")["ok"]
    eventually(lambda: bo.texts(hub.channel) == ["nobody was told"], "the poll found it")


def test_each_fan_is_told_who_is_here_on_both_processes(hub: Hub, joined: Sit) -> None:
    ana, bo = joined("ana", hub.first), joined("bo", hub.second)

    def both_are_seen_by(fan: Fan) -> bool:
        told = fan.has_heard("presence", hub.channel)
        return bool(told) and {user["handle"] for user in told[-1]["sample"]} == {"ana", "bo"}

    eventually(lambda: both_are_seen_by(ana) and both_are_seen_by(bo), "both see both")
    bo.socket.disconnect()
    eventually(lambda: ana.has_heard("presence")[-1]["online"] == 1, "ana sees bo go")


def test_a_stranger_cannot_connect(hub: Hub) -> None:
    nobody = Fan("nobody")
    with pytest.raises(socketio.exceptions.ConnectionError):
        nobody.connect(hub.first)


def test_a_page_of_another_site_cannot_open_a_socket(hub: Hub) -> None:
    ana = hub.member("ana")
    cookies = "; ".join(f"{c.name}={c.value}" for c in ana.http.cookies)
    with pytest.raises(socketio.exceptions.ConnectionError):
        socketio.Client(reconnection=False).connect(
            hub.first.url, transports=["websocket"], headers={"Cookie": cookies, "Origin": "https://evil.test"}
        )


def test_bad_payloads_get_a_clear_refusal_and_change_nothing(hub: Hub, joined: Sit) -> None:
    ana = joined("ana", hub.first)
    assert ana.say(hub.channel, "")["error"]["code"] == "invalid"
    assert ana.say(hub.channel, "x" * 4001)["error"]["errors"].keys() == {"text"}
    assert ana.call("message.send", channel_id=hub.channel)["error"]["code"] == "invalid"
    assert ana.call("channel.join", channel_id=str(uuid.uuid4()))["error"]["code"] == "not_found"
    unknown = ana.call("channel.join", channel_id=hub.channel, is_admin=True)
    assert unknown["error"]["errors"] == {"is_admin": ["Unknown field."]}
    assert ana.texts(hub.channel) == []


@both_paths
def test_an_event_that_calls_itself_connect_changes_nobody_s_standing(hub: Hub, joined: Sit) -> None:
    """With it a banned person's seat could be hidden behind another credential."""
    ana, bo = joined("ana", hub.first), hub.member("bo")
    token = bo.post(hub.first, "/me/tokens", name="spare")["token"]
    ana.socket.emit("connect", {"token": token})
    ana_id = ana.http.get(hub.first.url + "/api/v1/me").json()["id"]
    hub.mei.post(hub.first, "/groups/mei/bans", user_id=ana_id, reason="spam")
    bo.connect(hub.second)
    bo.join(hub.channel)
    assert bo.say(hub.channel, "is she gone?")["ok"]
    eventually(lambda: ana.has_heard("access.revoked") or not ana.socket.connected, "ana is put out")
    eventually(lambda: bo.texts(hub.channel) == ["is she gone?"], "bo heard himself")
    assert ana.texts(hub.channel) == []
