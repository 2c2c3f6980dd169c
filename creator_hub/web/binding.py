"""Binds the routes that rooms declared. One request, one unit of work, one commit.

Order: who is asking → CSRF → platform permission → size, type and schemas → rate limits → claim of the Idempotency-Key
→ the view (doors, verbs) → answer shape → commit → response. Limits are counted in Redis: a route that has some finds
out who is asking in a unit of work of its own, before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from flask import Flask, Response, g, request
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts import cookies, sessions
from creator_hub.core import access, idempotency, limits, sealing
from creator_hub.core.access import Actor
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import ROUTES, Redirect, Reply, Route
from creator_hub.core.errors import BadRequest, NotAllowed, WrongType
from creator_hub.core.idempotency import Held, Replay
from creator_hub.core.schemas import WireSchema, load
from creator_hub.web.identity import SAFE_METHODS, Caller, check_csrf, face_of, identify

NO_BODY = WireSchema()
VISIT_MAX_AGE_S = 180 * 24 * 3600
# The longest text anybody may send is an episode of 20,000 signs, in JSON's longest spelling 240 kB.
LARGEST_JSON = 256 * 1024


class DoorNotUsed(RuntimeError):
    """A view returned without its declared permission ever being checked: a bug, stopped before the commit."""


def bind(app: Flask) -> None:
    """Register every declared route with Flask."""
    for number, route in enumerate(ROUTES):
        endpoint = f"{route.view.__module__}.{route.view.__name__}.{number}"
        app.add_url_rule(route.path, endpoint, _endpoint(route), methods=[route.method])


def _endpoint(route: Route) -> Any:
    def handle(**path: Any) -> Response:
        return _run(route, path)

    return handle


def _run(route: Route, path: dict[str, Any]) -> Response:
    if route.max_bytes is not None or not route.raw_body:
        request.max_content_length = route.max_bytes or LARGEST_JSON
    if route.transaction and not _is_counted(route) and route.prepare is None:
        with unit_of_work() as session:
            caller = _admit(session, route)
            return _once(session, route, caller, path | _inputs(route))
    with unit_of_work() as session:
        caller = _admit(session, route)
    arguments = path | _inputs(route)
    _count(route, caller, arguments.get("body"))
    if route.prepare is not None:
        arguments["body"] = route.prepare(arguments["body"])
    if not route.transaction:
        return _across_the_network(route, caller, arguments)
    with unit_of_work() as session:
        return _once(session, route, _again(session, route, caller), arguments)


def _admit(session: Session, route: Route) -> Caller:
    caller = identify(session, request)
    g.csrf_token = caller.csrf_token
    if route.surface == "page":
        g.me = face_of(session, caller.actor)
    if caller.new_visit is not None:
        g.new_visit = caller.new_visit
    if route.csrf:
        check_csrf(request, caller)
    if route.by_session and caller.actor.token_id is not None:
        raise NotAllowed("An API token cannot do this. Sign in with a browser.")
    if route.permission in access.PLATFORM_WIDE:
        access.require_platform(caller.actor, route.permission)
    if route.proved and caller.actor.user_id is not None:
        sessions.require_proof(caller.actor)
    return caller


def _again(session: Session, route: Route, caller: Caller) -> Caller:
    """Who died or lost a role while the limits were counted must not act."""
    if caller.actor.user_id is None:
        return caller
    actor = sessions.actor_again(session, caller.actor.session_id, caller.actor.token_id)
    if route.permission in access.PLATFORM_WIDE:
        access.require_platform(actor, route.permission)
    return replace(caller, actor=actor)


def _is_counted(route: Route) -> bool:
    return route.limit is not None or bool(route.field_limits)


def _count(route: Route, caller: Caller, body: Any) -> None:
    """Count this use in Redis: over the network, so outside every transaction.

    People behind one address must not use up each other's rate; only strangers are counted by address.
    """
    who = str(caller.actor.user_id or limits.address_key(request.remote_addr))
    if route.limit is not None:
        limits.hit(route.limit, route.method, route.rule, who)
    for limit in route.field_limits:
        if limit.field in body:
            what = who if limit.per_caller else _unreadable(str(body[limit.field]))
            limits.hit(limit.rate, route.method, route.rule, limit.field, what)


def _unreadable(value: str) -> str:
    """Redis counts e-mail addresses without knowing them."""
    return sealing.fingerprint(settings.current().secret_key, "limits", value.casefold().encode()).hex()


def _once(session: Session, route: Route, caller: Caller, arguments: dict[str, Any]) -> Response:
    """Inside one transaction: the effect, its proof of permission and the stored answer live or die together."""
    held = _claim(session, route, caller)
    if isinstance(held, Replay):
        return _replayed(held)
    reply = _as_reply(route.view(session, caller.actor, **arguments))
    _check_proved(route, caller.actor)
    response = _respond(route, reply)
    if held is not None and response.status_code < 500:
        held.store(session, response.status_code, _stored(response))
    return response


def _across_the_network(route: Route, caller: Caller, arguments: dict[str, Any]) -> Response:
    """The view opens its own units of work around a call to a peer; the key is claimed before and settled after."""
    with unit_of_work() as session:
        held = _claim(session, route, caller)
    if isinstance(held, Replay):
        return _replayed(held)
    try:
        caller.actor.request_key = None if held is None else held.name
        reply = _as_reply(route.view(caller.actor, **arguments))
        _check_proved(route, caller.actor)
        response = _respond(route, reply)
    except BaseException:
        if held is not None:
            with unit_of_work() as session:
                held.release(session)
        raise
    if held is not None:
        with unit_of_work() as session:
            held.store(session, response.status_code, _stored(response))
    return response


def _claim(session: Session, route: Route, caller: Caller) -> Held | Replay | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or route.method != "POST" or route.raw_body:
        return None
    fingerprint = f"{request.method} {request.full_path}\n".encode() + request.get_data(cache=True)
    who = str(caller.actor.user_id or caller.bound_to)
    return idempotency.claim(session, settings.current().secret_key, who, key, fingerprint)


def _inputs(route: Route) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    if route.query is not None:
        inputs["query"] = load(
            route.query, request.args.to_dict(), unknown="exclude" if route.surface == "page" else None
        )
    if route.body is not None:
        inputs["body"] = load(route.body, _json_body(route))
    elif route.method not in SAFE_METHODS and not route.raw_body and request.get_data(cache=True):
        # Whoever sends a body believes that it does something: what is not known is refused here too.
        load(NO_BODY, _json_body(route))
    return inputs


def _json_body(route: Route) -> Any:
    raw = request.get_data(cache=True)
    if not raw and route.body_optional:
        return {}
    if request.mimetype != "application/json":
        raise WrongType
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise BadRequest("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


def _check_proved(route: Route, actor: Actor) -> None:
    if route.permission not in actor.proved:
        raise DoorNotUsed(f"{route.method} {route.path} never checked {route.permission}")


def _as_reply(result: Any) -> Reply:
    if isinstance(result, Redirect):
        return Reply(status=303, headers={"Location": result.location}, cookies=result.cookies)
    return result if isinstance(result, Reply) else Reply(result)


def _respond(route: Route, reply: Reply) -> Response:
    status = reply.status or route.status
    if reply.content_type is not None:
        response = Response(reply.body, status, content_type=reply.content_type)
    elif route.surface == "page":
        response = Response(reply.body or "", status, content_type="text/html; charset=utf-8")
    elif status == 204:
        response = Response(status=204)
    else:
        body = reply.body if reply.body is not None else {}
        response = _json(route.answer.dump(body) if route.answer is not None else body, status)
    response.headers.update(reply.headers)
    for name, value in reply.cookies.items():
        set_cookie(response, name, value, reply.cookie_max_age)
    return response


def _json(body: Any, status: int) -> Response:
    return Response(orjson.dumps(body), status, content_type="application/json")


def _stored(response: Response) -> bytes:
    """The whole answer as bytes, cookies too: a repeated sign-in must sign in."""
    headers = [(name, value) for name, value in response.headers if name != "Content-Length"]
    return orjson.dumps(headers) + b"\n" + response.get_data()


def _replayed(replay: Replay) -> Response:
    headers, _, body = replay.answer.partition(b"\n")
    response = Response(body, replay.status)
    response.headers.clear()
    response.headers.extend(orjson.loads(headers))
    response.headers["Idempotent-Replayed"] = "true"
    return response


def set_cookie(response: Response, name: str, value: str | None, max_age: int | None) -> None:
    """Set or delete (None) one of our cookies: never readable by scripts, never sent by other sites' forms."""
    response.set_cookie(
        cookies.name_of(name),
        value or "",
        max_age=0 if value is None else max_age,
        httponly=True,
        samesite="Lax",
        secure=settings.current().is_https,
        path="/",
    )


def set_visit_cookie(response: Response) -> Response:
    """Give an anonymous browser the cookie that its CSRF token is bound to."""
    visit = g.pop("new_visit", None)
    if visit is not None:
        set_cookie(response, cookies.VISIT, visit, VISIT_MAX_AGE_S)
    return response
