"""The registries every room fills and the edges bind: HTTP routes, socket events, jobs.

A room declares; `web`, `live` and `workers` bind. Nothing here knows Flask. Each entry names the permission it needs,
so that one test can walk them all and one page can list them.

An HTTP view is called as `view(session, actor, **path, body=…, query=…)` inside one unit of work that the edge opens
and commits; with `transaction=False` it is called as `view(actor, …)` and opens its own (it talks to the network
between them). An API view returns what `answer` dumps; a page returns HTML; either may return a `Reply` to say more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from creator_hub.core.access import Permission
from creator_hub.core.schemas import WireSchema

View = TypeVar("View", bound=Callable[..., Any])
Surface = Literal["api", "page"]
API_PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with more to say than its body: status, headers, cookies (value None deletes), raw bytes."""

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str | None] = field(default_factory=dict)
    cookie_max_age: int | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a page sends the browser next (303)."""

    location: str
    cookies: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldLimit:
    """A rate for what a body's field says, whoever says it ("10/15minutes" per e-mail); with `per_caller` a rate for
    callers who send the field at all (a guess at one's own password)."""

    rate: str
    field: str
    per_caller: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP route. `rule` is Flask's (`/groups/<handle>`); API rules are relative to /api/v1.

    `by_session` routes are for a person at a browser: an API token must not make more of itself, nor do what a stolen
    one should never be able to do. `proved` ones want the password shown lately too.
    """

    method: str
    rule: str
    view: Callable[..., Any]
    permission: Permission
    surface: Surface
    body: WireSchema | None
    query: WireSchema | None
    answer: WireSchema | None
    status: int
    transaction: bool
    csrf: bool
    raw_body: bool
    body_optional: bool
    limit: str | None
    field_limits: tuple[FieldLimit, ...]
    by_session: bool
    proved: bool
    max_bytes: int | None
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None
    summary: str

    @property
    def path(self) -> str:
        return API_PREFIX + self.rule if self.surface == "api" else self.rule


@dataclass(frozen=True, slots=True)
class Together:
    """Events of several people that wait for the same thing in one process may be handled, and committed, together.

    `key(data)` says what they wait for; None: this one alone. `handler(session, key, [(actor, data), …])` returns in
    the same order each one's fields or the HubError it is refused with. A person is in it at most once.
    """

    key: Callable[[Any], Any]
    handler: Callable[..., list[Any]]


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """One client → server event; the handler returns the fields of its acknowledgement."""

    name: str
    schema: WireSchema
    permission: Permission
    handler: Callable[..., Any]
    transaction: bool
    limit: str | None
    together: Together | None


@dataclass(frozen=True, slots=True)
class Job:
    """What is done for an outbox topic. With `transaction=False` the job opens its own units of work."""

    topic: str
    run: Callable[..., None]
    permission: Permission
    transaction: bool


ROUTES: list[Route] = []
SOCKET_EVENTS: dict[str, SocketEvent] = {}
JOBS: dict[str, Job] = {}


def route(
    method: str,
    rule: str,
    *,
    permission: Permission,
    surface: Surface = "api",
    body: WireSchema | None = None,
    query: WireSchema | None = None,
    answer: WireSchema | None = None,
    status: int = 200,
    transaction: bool = True,
    csrf: bool = True,
    raw_body: bool = False,
    body_optional: bool = False,
    limit: str | None = None,
    field_limits: tuple[FieldLimit, ...] = (),
    by_session: bool = False,
    proved: bool = False,
    max_bytes: int | None = None,
    prepare: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Callable[[View], View]:
    """Declare an HTTP route. `limit` is a rate per person, or per address for strangers ("10/minute"), `max_bytes` a
    larger body than elsewhere. `prepare` does what is slow and needs no transaction, before it opens: it is given the
    loaded body and returns the one the view gets. The first docstring line is the summary in the API description."""

    def declare(view: View) -> View:
        summary = (view.__doc__ or view.__name__.replace("_", " ")).strip().splitlines()[0]
        ROUTES.append(
            Route(
                method,
                rule,
                view,
                permission,
                surface,
                body,
                query,
                answer,
                status,
                transaction,
                csrf,
                raw_body,
                body_optional,
                limit,
                field_limits,
                by_session or proved,
                proved,
                max_bytes,
                prepare,
                summary,
            )
        )
        return view

    return declare


def page(
    rule: str,
    *,
    permission: Permission,
    method: str = "GET",
    query: WireSchema | None = None,
    transaction: bool = True,
) -> Callable[[View], View]:
    """Declare an HTML page."""
    return route(method, rule, permission=permission, surface="page", query=query, transaction=transaction)


def on(
    name: str,
    schema: WireSchema,
    permission: Permission,
    *,
    transaction: bool = True,
    limit: str | None = None,
    together: Together | None = None,
) -> Callable[[View], View]:
    """Declare a socket event. The handler is called as `handler(session, actor, data)` and returns the ack's fields;
    with `transaction=False` as `handler(actor, data)`."""

    def declare(handler: View) -> View:
        if name in SOCKET_EVENTS:
            raise ValueError(f"socket event {name} is declared twice")
        SOCKET_EVENTS[name] = SocketEvent(name, schema, permission, handler, transaction, limit, together)
        return handler

    return declare


def job(topic: str, *, permission: Permission = Permission.WORK, transaction: bool = True) -> Callable[[View], View]:
    """Bind an outbox topic to a verb: `run(session, payload)`, or `run(payload)` with `transaction=False`."""

    def declare(run: View) -> View:
        if topic in JOBS:
            raise ValueError(f"topic {topic} is bound twice")
        JOBS[topic] = Job(topic, run, permission, transaction)
        return run

    return declare
