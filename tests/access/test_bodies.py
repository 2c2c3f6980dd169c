"""What a request may say: nothing that was not asked for, and nothing about somebody else's group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from marshmallow import RAISE, Schema, fields

from creator_hub.core.edge import ROUTES, SOCKET_EVENTS
from tests.access import cases
from tests.access.matrix import address, key_of
from tests.access.rehearsal import rehearsing
from tests.access.town import ANNEX, ELSEWHERE, HOME, Town

STRANGE = {"owner_id": "me", "role": "creator", "is_admin": True}


def nested(schema: Schema) -> Iterator[Schema]:
    """A schema and every one inside it."""
    yield schema
    for field in schema.fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from nested(inner.schema)


def test_every_shape_that_comes_in_refuses_what_it_does_not_know() -> None:
    shapes = [shape for route in ROUTES for shape in (route.body, route.query) if shape is not None]
    shapes += [event.schema for event in SOCKET_EVENTS.values()]
    lax = {type(inner).__name__ for shape in shapes for inner in nested(shape) if inner.unknown != RAISE}
    assert lax == set()


def test_no_route_takes_a_field_that_nobody_asked_for(app: Flask, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not a route without a body: whoever sends one believes that it does something."""
    client, wrong = app.test_client(use_cookies=False), []
    with rehearsing(monkeypatch) as rehearsal:
        for route in ROUTES:
            if route.method in ("GET", "DELETE") or route.raw_body:
                continue
            case = cases.ROUTES[key_of(route)]
            for name in ("Cr", "Fi", "Ad"):
                person = town.people[name]
                ids = town.ids(person, HOME)
                sent = (case.body(ids) if case.body else {}) | STRANGE
                with rehearsal.played():
                    answer = client.open(
                        address(route, ids), method=route.method, json=sent, headers=person.headers("cookie")
                    )
                    refused = answer.status_code in (401, 403, 404) or (
                        answer.status_code == 422 and STRANGE.keys() <= answer.json["errors"].keys()
                    )
                    if not refused or rehearsal.changed():
                        wrong.append((name, key_of(route), answer.status_code))
    assert wrong == []


# Where a body names something by id: the key, and where to get another group's. Everything else there is right.
FOREIGN: list[tuple[str, str, str]] = [
    ("POST /api/v1/groups/<handle>/invites", "tier_id", "tier_id"),
    ("POST /api/v1/channels/<uuid:channel_id>/messages", "reply_to", "message_id"),
    ("POST /api/v1/channels/<uuid:channel_id>/messages", "attachments", "upload_id"),
    ("POST /api/v1/channels/<uuid:channel_id>/polls", "weights", "tier_id"),
    ("POST /api/v1/groups/<handle>/chains", "channel_id", "channel_id"),
    ("POST /api/v1/groups/<handle>/chains", "weights", "tier_id"),
    ("PUT /api/v1/chains/<uuid:chain_id>/head", "episode_id", "branch_id"),
    ("PUT /api/v1/chains/<uuid:chain_id>/bookmark", "episode_id", "episode_id"),
    ("POST /api/v1/chains/<uuid:chain_id>/season/close", "weights", "tier_id"),
    ("POST /api/v1/chains/<uuid:chain_id>/rounds", "parent_episode_id", "branch_id"),
    ("PUT /api/v1/polls/<uuid:poll_id>/ballot", "choices", "option_id"),
    ("PUT /api/v1/rounds/<uuid:round_id>/ballot", "choices", "candidate_id"),
    ("POST /api/v1/rounds/<uuid:round_id>/advance", "shortlist", "proposal_id"),
]


def with_foreign(given: dict[str, Any], field: str, foreign: str) -> dict[str, Any]:
    if field == "weights" and "options" not in given:
        return given | {"rules": {"weights": {foreign: 2}}}
    if field == "weights":
        return given | {"weights": {foreign: 2}}
    return given | {field: [foreign] if field in ("choices", "attachments", "shortlist") else foreign}


@pytest.mark.parametrize("other", [ANNEX, ELSEWHERE])
def test_another_groups_ids_are_refused_in_bodies(
    other: str, app: Flask, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mei is allowed everything in her own groups, and even she carries nothing from one into another."""
    client, mei, wrong = app.test_client(use_cookies=False), town.people["Cr"], []
    routes = {key_of(route): route for route in ROUTES}
    with rehearsing(monkeypatch) as rehearsal:
        for key, field, source in FOREIGN:
            case, ids = cases.ROUTES[key], town.ids(mei, HOME)
            foreign = town.places[other][source]
            given = with_foreign(case.body(ids) if case.body else {}, field, foreign)
            with rehearsal.played():
                answer = client.open(
                    address(routes[key], ids), method=routes[key].method, json=given, headers=mei.headers("cookie")
                )
                if answer.status_code not in (404, 409, 422) or rehearsal.changed():
                    wrong.append((key, field, answer.status_code, answer.get_data()[:200]))
    assert wrong == []


def test_every_id_in_a_body_is_tried_with_another_groups(town: Town) -> None:
    """A new body that names things by id is either tried above or named here with the reason. What subscribers do with
    their own subscription is tried in tests/money."""
    own_reasons = {
        "client_msg_id": "the client's own",
        "user_id": "people belong to no group",
        "creator": "people belong to no group",
        "entry_id": "the ledger belongs to no group",
    }
    tried = {(key, field) for key, field, _ in FOREIGN}
    untried = set()
    for route in ROUTES:
        case = cases.ROUTES[key_of(route)]
        for field in id_fields(route.body) if route.body else ():
            named = field in case.names or field in own_reasons or case.row == cases.MOVE
            if not named and (key_of(route), field) not in tried:
                untried.add((key_of(route), field))
    ballots = {(key, each) for key, field in tried if field == "choices" for each in ("ranking", "scores")}
    assert untried - ballots == set()


def id_fields(schema: Schema) -> Iterator[str]:
    for name, field in schema.fields.items():
        if isinstance(field, fields.Nested):
            yield from id_fields(field.schema)
        elif any(isinstance(each, fields.UUID) for each in _within(field)):
            yield name


def _within(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    yield field
    if isinstance(field, fields.List):
        yield from _within(field.inner)
    if isinstance(field, fields.Dict) and field.key_field is not None:
        yield field.key_field
