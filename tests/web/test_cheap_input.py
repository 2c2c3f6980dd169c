"""What is cheap to send is cheap to refuse: every field, every regex, every shape of body, in CPU time."""

from __future__ import annotations

import gc
import re
import sys
import time
from collections.abc import Callable, Iterator

import orjson
import pytest
from flask import Flask
from marshmallow import Schema, ValidationError, fields

from creator_hub.core.edge import ROUTES, SOCKET_EVENTS
from tests.support.client import API, Browser

Open = Callable[[], Browser]
LONG = 100_000
CPU_S = 0.1
PUMPED = [
    (part * LONG)[:LONG] + tail
    for part, tail in (
        ("a", ""),
        ("a", "!"),
        ("a@", ""),
        ("a.", ""),
        ("a@b.", "@"),
        ("@", ""),
        (".", ""),
        ("-", ""),
        (" ", ""),
        ("\n", ""),
        ("0", ""),
        ("9", ""),
        ("9", "e999999999"),
        ("2026-", ""),
        ("[[", ""),
        ("*_", ""),
        ('"\\a', "@x.y"),
        ("https://a/", ""),
        ("İ", ""),
        ("\u200d", "👩"),
        ("hub_", ""),
    )
]


@pytest.fixture(autouse=True)
def own_garbage_only() -> Iterator[None]:
    """The collector walks what this input made, not everything the test run holds."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def cpu(work: Callable[[], object]) -> float:
    before = time.thread_time()
    work()
    return time.thread_time() - before


def every_field(schema: Schema, path: str = "") -> Iterator[tuple[str, fields.Field[object]]]:
    for name, field in schema.fields.items():
        inner = field
        yield f"{path}{name}", inner
        while isinstance(inner, fields.List):
            inner = inner.inner
            yield f"{path}{name}[]", inner
        if isinstance(inner, fields.Nested):
            yield from every_field(inner.schema, f"{path}{name}.")
        if isinstance(inner, fields.Mapping):
            for part in (inner.key_field, inner.value_field):
                if part is not None:
                    yield f"{path}{name}{{}}", part


def refuse(field: fields.Field[object], value: object) -> None:
    try:
        field.deserialize(value)
    except ValidationError:
        return


def test_every_field_of_every_schema_reads_a_hundred_kilobytes_at_once(app: Flask) -> None:
    schemas = [(f"{r.method} {r.rule}", schema) for r in ROUTES for schema in (r.body, r.query) if schema]
    schemas += [(event.name, event.schema) for event in SOCKET_EVENTS.values()]
    slow, seen = [], 0
    for where, schema in schemas:
        for path, field in every_field(schema):
            for value in PUMPED:
                seen += 1
                spent = cpu(lambda field=field, value=value: refuse(field, value))
                if spent > CPU_S:
                    slow.append((where, path, value[:10], spent))
    assert slow == []
    assert seen > 2_000


def test_every_regex_of_ours_reads_a_hundred_kilobytes_at_once(app: Flask) -> None:
    patterns = {
        f"{name}.{attribute}": value
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ("creator_hub", "workers")
        for attribute, value in vars(module).items()
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
    }
    slow = []
    for name, pattern in patterns.items():
        for value in PUMPED:
            for way in (pattern.search, pattern.fullmatch, lambda text, pattern=pattern: pattern.sub("", text)):
                spent = cpu(lambda way=way, value=value: way(value))
                if spent > CPU_S:
                    slow.append((name, value[:10], spent))
    assert slow == []
    assert len(patterns) > 5


KEYS = b",".join(b'"k%d":1' % n for n in range(20_000))
BODIES = {
    "deep lists": b"[" * 250_000,
    "deep objects": b'{"a":' * 40_000,
    "as deep as is read": b'{"title":' + b"[" * 900 + b"]" * 900 + b"}",
    "many keys": b"{" + KEYS + b"}",
    "one key many times": b"{" + b",".join([b'"title":1'] * 20_000) + b"}",
    "many keys further in": b'{"title":"x","method":"plurality","options":["a","b"],"weights":{' + KEYS + b"}}",
    "many options": orjson.dumps({"title": "x", "method": "plurality", "options": [str(n) for n in range(30_000)]}),
    "many wrong options": orjson.dumps({"title": "x", "method": "plurality", "options": [1] * 100_000}),
    "many empty options": orjson.dumps({"title": "x", "method": "plurality", "options": [{}] * 80_000}),
    "a long number": b'{"title":' + b"9" * 250_000 + b"}",
    "a long fraction": b'{"title":0.' + b"9" * 250_000 + b"}",
    "a long exponent": b'{"title":1e' + b"9" * 250_000 + b"}",
    "escapes": b'{"title":"' + b"\\u0041" * 40_000 + b'"}',
    "no JSON": b"\x00" * 250_000,
    "half an emoji": b'{"title":"' + b"\\ud83d" * 40_000 + b'"}',
}


@pytest.fixture
def polls(browser: Open) -> tuple[Browser, str]:
    mei = browser()
    mei.sign_up("mei")
    mei.post("/groups", {"handle": "mei", "name": "Mei", "about": "", "currency": "USD"})
    channel = mei.get("/groups/mei/channels").json["items"][0]["id"]
    mei.post(f"/channels/{channel}/polls", {})  # once before it is measured
    return mei, f"{API}/channels/{channel}/polls"


def test_every_shape_of_body_is_refused_cheaply_and_shortly(polls: tuple[Browser, str]) -> None:
    mei, path = polls
    wrong = []
    for name, body in BODIES.items():
        headers = {"X-CSRF-Token": mei._csrf, "Content-Type": "application/json", "Idempotency-Key": "k"}
        before = time.thread_time()
        answer = mei._client.post(path, data=body, headers=headers)
        spent = time.thread_time() - before
        if answer.status_code not in (400, 413, 422) or spent > CPU_S or len(answer.get_data()) > 5_000:
            wrong.append((name, answer.status_code, spent, len(answer.get_data())))
    assert wrong == []


def test_a_wrong_item_of_a_list_is_told_by_its_place(polls: tuple[Browser, str]) -> None:
    mei, path = polls
    poll = {"title": "x", "method": "plurality", "options": ["a", 1, "b"]}
    answer = mei.post(path.removeprefix(API), poll)
    assert (answer.status_code, answer.json["errors"]) == (422, {"options": {"1": ["Not a valid string."]}})


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data; boundary=b",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json" + ";a=b" * 1900,
    ],
)
def test_a_form_of_many_parts_is_refused_unread(polls: tuple[Browser, str], kind: str) -> None:
    mei, path = polls
    body = b"--b\r\n" + b'Content-Disposition: form-data; name="x"\r\n\r\n1\r\n--b\r\n' * 4_000
    headers = {"X-CSRF-Token": mei._csrf, "Content-Type": kind}
    before = time.thread_time()
    answer = mei._client.post(path, data=body, headers=headers)
    assert time.thread_time() - before < CPU_S
    assert answer.status_code in (400, 415)


@pytest.mark.parametrize("size", [257 * 1024, 50_000_000])
def test_a_body_that_is_larger_than_any_text_here_is_refused(polls: tuple[Browser, str], size: int) -> None:
    mei, path = polls
    headers = {"X-CSRF-Token": mei._csrf, "Content-Type": "application/json"}
    before = time.thread_time()
    answer = mei._client.post(path, data=b" " * size, headers=headers)
    assert time.thread_time() - before < CPU_S
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
