"""The product's table says what the table of trust says, and every declaration stands under its row."""

from __future__ import annotations

import pytest

import workers.bindings  # noqa: F401 - fills JOBS
from creator_hub.core.access import ALLOWED, EVERYBODY, PLATFORM_WIDE, Permission, Principal
from creator_hub.core.edge import JOBS, ROUTES, SOCKET_EVENTS
from tests.access import cases
from tests.access.matrix import all_cells, key_of
from tests.access.spec import HOUSE, NARROWER, NOBODY, ROWS, TRUST

BAR = 10_000


def test_every_permission_stands_for_exactly_one_sentence_of_the_table() -> None:
    named = [permission for each in (TRUST | HOUSE).values() for permission in each.permissions]
    twice = {permission for permission in named if named.count(permission) > 1}
    assert twice == {Permission.OPERATE_PAYOUTS}  # a run and a correction: two people of finance either way
    assert set(named) == set(Permission)


@pytest.mark.parametrize("name", TRUST | HOUSE)
def test_the_product_allows_whom_the_sentence_names(name: str) -> None:
    for permission in ROWS[name].permissions:
        assert {str(each) for each in ALLOWED[permission]} - {"self"} == ROWS[name].allowed - {"self"}, permission
        if name == cases.DELETE:
            assert Principal.SELF in ALLOWED[permission]


def test_what_nobody_may_do_has_no_permission() -> None:
    assert not set(NOBODY) & ROWS.keys()


def test_nobody_suspended_holds_a_permission_towards_a_group() -> None:
    for permission in set(Permission) - PLATFORM_WIDE:
        assert Principal.SUSPENDED not in ALLOWED[permission], permission
        assert Principal.ANONYMOUS not in ALLOWED[permission], permission
        assert Principal.BANNED not in ALLOWED[permission], permission
    assert Principal.SUSPENDED not in EVERYBODY


def test_every_route_and_event_declares_the_permission_of_its_row() -> None:
    wrong = {}
    for route in ROUTES:
        row = cases.ROUTES[key_of(route)].row
        if route.permission not in ROWS[row].permissions:
            wrong[key_of(route)] = (route.permission, row)
    for name, event in SOCKET_EVENTS.items():
        if event.permission not in ROWS[cases.EVENTS[name].row].permissions:
            wrong[name] = (event.permission, cases.EVENTS[name].row)
    assert wrong == {}


def test_every_job_works_as_the_system() -> None:
    assert JOBS
    assert {job.permission for job in JOBS.values()} == {Permission.WORK}


def test_the_matrix_has_the_cells_that_were_promised() -> None:
    assert sum(1 for _ in all_cells()) >= BAR


def test_a_narrower_row_is_narrower() -> None:
    for each in NARROWER.values():
        (permission,) = each.permissions
        assert each.allowed - {"self"} <= {str(principal) for principal in ALLOWED[permission]}
