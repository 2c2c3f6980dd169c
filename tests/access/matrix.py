"""The cells of the matrix: a route or event, a person with a credential, a target — and what the table says of it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from string import Formatter

from creator_hub.app import ROOM_MODULES
from creator_hub.core.edge import ROUTES, Route
from tests.access import cases
from tests.access.cases import Case
from tests.access.spec import ROWS
from tests.access.town import CAST, HIDDEN, HOME, INSIDE, PLACES, Person, Town

for module in ROOM_MODULES:  # what fills ROUTES and SOCKET_EVENTS
    importlib.import_module(module)
CREDENTIALS = ("cookie", "token")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
IN_CHANNEL = {
    *("channel_id", "message_id", "upload_id", "report_id", "poll_id", "chain_id", "round_id", "proposal_id"),
    *("episode_id", "qa_id", "question_id"),
}
IN_GROUP = {"handle", "tier_id", "invite_id", "passcode", "payment_id", "promise_id"} | IN_CHANNEL
OF_ACCOUNT = {"token_id", "device_id", "subscription_id", "session_id", "checkout_session"}
OF_PLATFORM = {"user_id", "run_id", "export_id", "adjustment_id", "stuck_id", "month", "person"}
CAN_BE_GONE = {"tier_id", "channel_id", "message_id", "invite_id", "passcode"}
# Rows whose permission the edge decides before it looks anything up.
PLATFORM_ROWS = {
    *(cases.COME_IN, cases.SESSION, "sign out", cases.OWN, cases.OPEN, cases.BILLING, cases.MOVE, cases.WITHDRAW),
    *(cases.PAYOUTS, cases.ADJUST, cases.FINANCE, cases.ROLES),
}
MATTER_OF_THE_OWNER = {cases.OWN, cases.BILLING, cases.MOVE, cases.WITHDRAW}


@dataclass(frozen=True)
class Cell:
    """`names` is what the request names; `wants_browser` says that an API token is not enough."""

    key: str
    case: Case
    names: frozenset[str]
    person: str
    credential: str
    target: str
    wants_browser: bool = False

    def __str__(self) -> str:
        return f"{self.person} by {self.credential}, {self.target}: {self.key}"


def key_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def names_of(route: Route) -> frozenset[str]:
    """What the request names, in its path, its query or its body."""
    case = cases.ROUTES[key_of(route)]
    if route.path == "/api/v1/users/<handle>":  # a person's handle, no group's
        return frozenset({"person"})
    asked = {name for _, name, _, _ in Formatter().parse(case.query) if name}
    return frozenset({*PARAMETER.findall(route.path), *case.names, *asked})


def targets_of(found: frozenset[str]) -> list[str]:
    if found & IN_GROUP:
        targets = ["unknown", *PLACES]
        if found & CAN_BE_GONE:
            targets.append("gone")
        if "message_id" in found:
            targets.append("another's")
        return targets
    if found & OF_ACCOUNT:
        return ["unknown", HOME, "another's"]
    return ["unknown", HOME] if found & OF_PLATFORM else [HOME]


def cells(route: Route, *, every: bool = True) -> Iterator[Cell]:
    """Everybody, at every target, by cookie and by token. Without `every`: everybody at their own place and at one
    other, which takes turns, by a credential that takes turns too."""
    case, turn, names = cases.ROUTES[key_of(route)], ROUTES.index(route), names_of(route)
    targets, wants_browser = targets_of(names), route.by_session or route.proved
    for person in CAST:
        turn += 1
        others = [target for target in targets if target != HOME]
        tried = targets if every else [HOME, *others[turn % len(others) :][:1]] if others else [HOME]
        for number, (target, credential) in enumerate(product(tried, CREDENTIALS if person != "An" else ("cookie",))):
            if every or wants_browser or person == "An" or (turn + number + number // 2) % 2:
                yield Cell(key_of(route), case, names, person, credential, target, wants_browser)


def all_cells() -> Iterator[Cell]:
    for route in ROUTES:
        yield from cells(route)


def event_cells(event: str) -> Iterator[Cell]:
    """Everybody who can connect, at every target; a socket is admitted by its cookie."""
    case = cases.EVENTS[event]
    names = frozenset({"message_id" if "message" in event and event != "message.send" else "channel_id"})
    names = frozenset({"message_id"}) if event.startswith("reaction") else names
    for person, target in product(CAST, targets_of(names)):
        yield Cell(event, case, names, person, "cookie", target)


def address(route: Route, ids: dict[str, str]) -> str:
    """The route's address, naming what its line in the cases says."""
    case = cases.ROUTES[key_of(route)]

    def fill(match: re.Match[str]) -> str:
        wanted = case.path.get(match[1], match[1])
        return ids.get(wanted, wanted)

    path = PARAMETER.sub(fill, route.path)
    return f"{path}?{case.query.format_map(ids)}" if case.query else path


def expected(cell: Cell, town: Town) -> int:
    """200 for whoever the table allows, else the status of the refusal."""
    person, found = town.people[cell.person], cell.names
    anywhere = person.anywhere(cell.credential)
    if not anywhere:  # a dead API token
        return 401
    if cell.wants_browser and cell.credential == "token":
        return 403
    in_channel = bool(found & IN_CHANNEL)
    place = {"another's": HOME, "gone": HOME}.get(cell.target, cell.target)
    if cell.case.row in PLATFORM_ROWS or not found & IN_GROUP:
        return _on_the_platform(cell, town, person, anywhere)
    if cell.case.row == cases.PUBLIC and not anywhere & ROWS[cell.case.row].allowed:
        return 403  # nothing is public for the suspended: they are refused before anything is looked up
    if place == "unknown":
        return 401 if _must_sign_in(cell, anywhere) else 404
    letters = person.at(place, cell.credential, in_paid_channel=in_channel)
    return _in_a_group(cell, letters, place, in_channel, is_author(cell, town, person))


def _on_the_platform(cell: Cell, town: Town, person: Person, anywhere: frozenset[str]) -> int:
    if not anywhere & ROWS[cell.case.row].allowed:
        return 401 if anywhere == {"An"} else 403
    if cell.target == "unknown":
        return 404
    if cell.case.row in MATTER_OF_THE_OWNER and cell.names & OF_ACCOUNT:
        owns = cell.target == HOME and owned_by(cell, town, person)
        banned = cell.case.row == cases.MOVE and "Fb" in person.at(HOME, cell.credential)
        return 200 if owns and not banned else 404
    return 200


def owned_by(cell: Cell, town: Town, person: Person) -> bool:
    key = next(iter(cell.names & OF_ACCOUNT))
    return (
        cell.case.path.get(key, {"session_id": "checkout_session"}.get(key, key)) in person.account | person.own[HOME]
    )


def is_author(cell: Cell, town: Town, person: Person) -> bool:
    named = cell.case.path.get("message_id", "message_id")
    return cell.target in PLACES and "message_id" in cell.names and named in person.own[cell.target]


def _must_sign_in(cell: Cell, letters: frozenset[str]) -> bool:
    return letters == {"An"} and "An" not in ROWS[cell.case.row].allowed


def _in_a_group(cell: Cell, letters: frozenset[str], place: str, in_channel: bool, author: bool) -> int:
    allowed = ROWS[cell.case.row].allowed
    if _must_sign_in(cell, letters):
        return 401
    stranger = not letters & INSIDE
    by_passcode = "passcode" in cell.names  # whoever holds it may see what it opens
    unseen = stranger and (in_channel or cell.case.private or (place == HIDDEN and not by_passcode))
    if cell.case.row == cases.EDIT and not author:
        return 404 if unseen or ("Fl" in letters and place == HIDDEN) else 403
    # An author counts as one only where they can still read: what is closed to them is closed.
    reads = bool(letters & ROWS[cases.READ].allowed)
    if author and reads:
        letters |= {"self"}
    if letters & allowed and not _kept_from(cell, letters, place, unseen):
        return 200
    if "Fl" in letters:
        return 404 if place == HIDDEN else 403
    if "Fb" in letters or unseen:
        return 404
    return 403


def _kept_from(cell: Cell, letters: frozenset[str], place: str, unseen: bool) -> bool:
    """What everybody may do elsewhere opens nothing to whoever must not know that it is there. A duty does."""
    by_anybody = bool(ROWS[cell.case.row].allowed & {"Fn", "An"})
    banned = "Fb" in letters and (place == HIDDEN or "passcode" in cell.names)
    return by_anybody and (unseen or banned)
