"""The table of who may do what, generated: every declared route × thirteen kinds of people, against one group.

Whoever the table does not allow is refused (401, 403 or 404; 422 where the empty input is read first), and no refusal
changes anything. Whoever it allows may read every route that only reads.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from creator_hub.accounts.models import User
from creator_hub.core import clock
from creator_hub.core.access import ALLOWED, Permission, Principal
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import ROUTES, Route
from tests.support.client import Browser

P = Principal
OPEN_TO_ALL = {
    Permission.SEE_PUBLIC,
    Permission.SIGN_UP,
    Permission.SESSION,
    Permission.OPERATE,
    Permission.RECEIVE_WEBHOOK,
}
REFUSED = {401, 403, 404}
# Answers for what the address asks about in its query; without a question there is nothing to show.
ASKS = {"/billing/return"}
# Objects of the paid channel: whoever holds only the free tier is "of a lower tier" towards them.
OF_THE_PAID_CHANNEL = (
    "channel_id",
    "message_id",
    "poll_id",
    "chain_id",
    "round_id",
    "qa_id",
    "question_id",
    "episode_id",
    "proposal_id",
)
PLATFORM = {"support": P.SUPPORT, "trust": P.TRUST, "finance": P.FINANCE, "admin": P.ADMIN}


@dataclass
class Group:
    """Mei's group and the ids in it."""

    people: dict[str, tuple[Browser, frozenset[Principal]]]
    ids: dict[str, str]

    def path(self, route: Route) -> str:
        """The route's address with Mei's own ids; unknown kinds get an id of nothing."""
        path = re.sub(r"<uuid:(\w+)>", lambda m: self.ids.get(m[1], str(uuid.uuid4())), route.path)
        return re.sub(r"<\w+>", "mei", re.sub(r"<int:\w+>", "1", path).replace("<emoji>", "👍"))

    def knows(self, route: Route) -> bool:
        return all(name in self.ids for name in re.findall(r"<(?:\w+:)?(\w+)>", route.path))


def towards(route: Route, who: str, principals: frozenset[Principal]) -> frozenset[Principal]:
    """What a person is towards the route's object."""
    if who == "lower" and any(f":{name}>" in route.path for name in OF_THE_PAID_CHANNEL):
        return (principals - {P.MEMBER}) | {P.LOWER_TIER}
    return principals


def mei_and_everybody(open_browser: Callable[[], Browser]) -> Group:
    mei = open_browser()
    mei.sign_up("mei")
    mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    price = {"amount_minor": 500, "currency": "USD"}
    tier = mei.post(
        "/groups/mei/tiers", {"name": "Baker", "price": price, "interval": "month", "rank": 1, "benefits": []}
    ).json["id"]
    channel = mei.post("/groups/mei/channels", {"name": "table", "kind": "talk", "min_tier_rank": 1}).json["id"]
    gift = mei.post("/groups/mei/invites", {"tier_id": tier}).json
    said = {"client_msg_id": str(uuid.uuid4()), "text": "hello"}
    ids = {
        "handle": "mei",
        "tier_id": tier,
        "channel_id": channel,
        "invite_id": gift["id"],
        "message_id": mei.post(f"/channels/{channel}/messages", said).json["id"],
        "poll_id": mei.post(
            f"/channels/{channel}/polls", {"title": "?", "method": "plurality", "options": ["a", "b"]}
        ).json["id"],
    }
    ids["qa_id"] = mei.post(f"/channels/{channel}/qa", {"title": "?"}).json["id"]
    story = {"channel_id": channel, "title": "?", "premise": "?", "rules": {}}
    ids["chain_id"] = mei.post("/groups/mei/chains", story).json["id"]
    ids["round_id"] = mei.post(f"/chains/{ids['chain_id']}/rounds").json["id"]
    offered = {"title": "?", "body": "?", "accept_licence": True}
    ids["proposal_id"] = ids["episode_id"] = mei.post(f"/rounds/{ids['round_id']}/proposals", offered).json["id"]
    ids["question_id"] = mei.post(f"/qa/{ids['qa_id']}/questions", {"text": "?"}).json["id"]
    people = {"An": (open_browser(), frozenset({P.ANONYMOUS})), "Cr": (mei, frozenset({P.SIGNED_IN, P.OWNER}))}
    people["An"][0].get("/session")
    for who, principals in (
        ("stranger", {P.SIGNED_IN}),
        ("lower", {P.SIGNED_IN, P.MEMBER}),
        ("member", {P.SIGNED_IN, P.MEMBER}),
        ("moderator", {P.SIGNED_IN, P.MEMBER, P.MODERATOR}),
        ("banned", {P.BANNED}),
        ("creator2", {P.SIGNED_IN}),
        ("suspended", {P.SUSPENDED}),
    ):
        browser = open_browser()
        user = browser.sign_up(who)["id"]
        if who == "creator2":
            browser.post("/groups", {"handle": "other", "name": "Other", "about": "", "currency": "USD"})
        if who in ("lower", "banned"):
            browser.post("/groups/mei/join")
        if who in ("member", "moderator", "suspended"):
            browser.post(f"/invites/{gift['passcode']}/redeem")
        if who == "moderator":
            assert mei.put(f"/groups/mei/moderators/{user}").status_code < 300
        if who == "banned":
            assert mei.post("/groups/mei/bans", {"user_id": user, "reason": "spam"}).status_code < 300
        if who == "suspended":
            with unit_of_work() as session:
                session.get_one(User, uuid.UUID(user)).suspended_at = clock.now()
        people[who] = (browser, frozenset(principals))
    for role, principal in PLATFORM.items():
        browser = open_browser()
        browser.sign_up_with_roles(role, [role])
        people[role] = (browser, frozenset({P.SIGNED_IN, principal}))
    return Group(people, ids)


def test_the_table_holds_on_every_route_for_everybody(app: Flask, browser: Callable[[], Browser]) -> None:
    group = mei_and_everybody(browser)
    guarded = [route for route in ROUTES if route.permission not in OPEN_TO_ALL]
    deviations, cells = [], 0
    for route in guarded:
        for who, (person, principals) in group.people.items():
            allowed = not ALLOWED[route.permission].isdisjoint(towards(route, who, principals))
            reads = route.method == "GET" and route.query is None and route.path not in ASKS and group.knows(route)
            if allowed and not reads:
                continue
            status = person.ask(route.method, group.path(route)).status_code
            cells += 1
            expected = (
                status not in REFUSED
                if allowed
                else status in REFUSED or ((route.body or route.query) and status in (415, 422))
            )
            if not expected:
                deviations.append((who, "may" if allowed else "may not", route.method, route.path, status))
    assert not deviations, "\n".join(map(str, deviations))
    assert cells > 500
    still = group.people["Cr"][0].get("/groups/mei/members").json["items"]
    assert {member["user"]["handle"] for member in still} >= {"lower", "member", "moderator"}
