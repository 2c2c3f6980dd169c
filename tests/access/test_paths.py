"""No spelling of an address goes around its guard."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from creator_hub.core.access import ALLOWED, Principal
from creator_hub.core.edge import ROUTES
from tests.access.matrix import address
from tests.access.town import HOME, Town

# The others change something: a stranger has no CSRF token for them, however they are spelt.
CLOSED_TO_STRANGERS = [
    route for route in ROUTES if route.method == "GET" and Principal.ANONYMOUS not in ALLOWED[route.permission]
]


def spellings(path: str) -> list[str]:
    """Other ways to write a path, as a proxy, a browser or an attacker would."""
    head, _, last = path.rpartition("/")
    return [
        path + "/",
        "/" + path,
        path.replace("/", "//", 2),
        head + "/./" + last,
        head + "/x/../" + last,
        "/static/.." + path,
        "/healthz/.." + path,
        path.upper(),
        path + "%2f",
        path.replace("/", "%2f", 3),
        path + "%00",
        path + ";x=1",
        path + "/.",
        path + "%20",
        "/." + path,
        path.replace("/api/v1", "/api/V1"),
        path + ".json",
        path + "?" + "format=csv",
        "\\" + path,
    ]


def raw(app: Flask, method: str, path: str) -> tuple[int, str]:
    """Ask with the path exactly as written: nothing between here and the application tidies it up."""
    builder = EnvironBuilder(path="/", method=method, json={} if method not in ("GET", "DELETE") else None)
    environ = builder.get_environ()
    path, _, query = path.partition("?")
    environ["RAW_URI"] = environ["REQUEST_URI"] = path
    environ["PATH_INFO"], environ["QUERY_STRING"] = re.sub("%(..)", lambda m: chr(int(m[1], 16)), path), query
    answer = app.test_client().open(environ)
    builder.close()
    return answer.status_code, answer.headers.get("Location", "")


def test_no_spelling_lets_a_stranger_in(app: Flask, town: Town) -> None:
    wrong = []
    for route in CLOSED_TO_STRANGERS:
        for path in spellings(address(route, town.ids(town.people["Cr"], HOME)).partition("?")[0]):
            status, location = raw(app, route.method, path)
            tidied = status in (301, 308) and re.match(r"(http://localhost)?/(?!/)", location)
            if not (status in (400, 401, 403, 404, 405, 422) or tidied):
                wrong.append((route.method, path, status, location))
    assert wrong == []


@pytest.mark.parametrize("path", ["//evil.test", "//evil.test/..", "/\\evil.test", "///evil.test//", "/%2fevil.test"])
def test_no_spelling_sends_anybody_to_another_site(path: str, app: Flask) -> None:
    status, location = raw(app, "GET", path)
    assert status == 404 or re.fullmatch(r"(http://localhost)?/(?![/\\]).*", location), (status, location)


@pytest.mark.parametrize(
    "path", ["/static/../settings.py", "/static/%2e%2e/settings.py", "/static//etc/passwd", "/static/..%2fshell.py"]
)
def test_nothing_beside_the_assets_is_served(path: str, app: Flask) -> None:
    assert raw(app, "GET", path)[0] == 404
