"""Kill -9 in the middle of a conversation, again and again: `HUB_FAULT_ROUNDS` times (2; `make faults` takes 100)."""

from __future__ import annotations

import os
import random
import threading
import uuid

import socketio

from tests.live.conftest import Hub
from tests.support.hub import Fan, Web, eventually

ROUNDS = int(os.environ.get("HUB_FAULT_ROUNDS", "2"))


class Talker(threading.Thread):
    """Sends one message after the other, each with its own id until it is acknowledged, as the page's client does."""

    def __init__(self, fan: Fan, web: Web, channel: str) -> None:
        super().__init__(daemon=True)
        self.fan, self.web, self.channel = fan, web, channel
        self.acked: list[str] = []
        self.done = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.done.is_set():
            text, client_msg_id = f"{self.fan.handle} {number}", str(uuid.uuid4())
            while not self._send(text, client_msg_id):
                if self.done.wait(0.1):
                    return
            self.acked.append(text)
            number += 1
            self.done.wait(0.15)

    def _send(self, text: str, client_msg_id: str) -> bool:
        try:
            if not self.fan.socket.connected:
                self.fan.connect(self.web)
            return bool(self.fan.say(self.channel, text, client_msg_id)["ok"])
        except (socketio.exceptions.SocketIOError, OSError):
            return False


def test_nothing_acknowledged_is_lost_or_doubled_by_kill_9(hub: Hub) -> None:
    seed = int(os.environ.get("HUB_FAULT_SEED", "0")) or random.SystemRandom().randrange(2**32)
    print(f"HUB_FAULT_SEED={seed}")
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    talkers = [Talker(hub.member(f"fan{n}"), web, hub.channel) for n, web in enumerate((hub.first, hub.second))]
    for talker in talkers:
        talker.start()
    for _ in range(ROUNDS):
        victim = chance.choice((hub.first, hub.second))
        so_far = sum(len(talker.acked) for talker in talkers)
        enough = so_far + chance.randint(3, 12)
        eventually(lambda enough=enough: sum(len(t.acked) for t in talkers) >= enough, "they talk", patience=60)
        victim.kill()
        victim.start()
    for talker in talkers:
        talker.done.set()
        talker.join(30)
    reader = hub.member("reader").connect(hub.first)
    reader.join(hub.channel, after_seq=0)
    told = reader.texts(hub.channel)
    assert reader.seqs(hub.channel) == list(range(1, len(reader.seqs(hub.channel)) + 1))
    for talker in talkers:
        mine = [text for text in told if text.startswith(talker.fan.handle + " ")]
        assert len(mine) == len(set(mine)), "doubled"
        assert mine[: len(talker.acked)] == talker.acked, "lost or out of order"
