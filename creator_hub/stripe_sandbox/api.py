"""One request to /v1: who asks, which route, what was already answered, and the work in one transaction."""

from __future__ import annotations

import base64
import json
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from werkzeug.wrappers import Request, Response

from creator_hub.settings import SANDBOX_SECRET_KEY
from creator_hub.stripe_sandbox.billing import DAY
from creator_hub.stripe_sandbox.errors import ApiError, unreadable, wrong_key
from creator_hub.stripe_sandbox.forms import check, parse
from creator_hub.stripe_sandbox.render import Preview, page_of, rendered
from creator_hub.stripe_sandbox.resources import register
from creator_hub.stripe_sandbox.resources.accounts import reachable
from creator_hub.stripe_sandbox.routes import ROUTES, Page, Route
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope
from creator_hub.stripe_sandbox.store import Obj, Store

register()


class Api:
    """Stripe's routes over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        literal_first = sorted(ROUTES, key=lambda route: route.path.count("{"))
        self._routes = [(route, _pattern(route.path)) for route in literal_first]

    def answer(self, request: Request, scope: Scope) -> Response:
        _authenticate(request)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        scope = replace(scope, account=request.headers.get("Stripe-Account", PLATFORM), idempotency_key=key)
        route, identifiers = self._match(request)
        raw = (
            request.query_string.decode()
            if request.method == "GET"
            else (request.get_data(as_text=True) or request.query_string.decode())
        )
        with self._store.lock:
            self._check_account(scope)
            print_of_request = f"{request.method} {request.path} {json.dumps(sorted(parse(raw).items()))}"
            if key and (earlier := self._replayed(scope, key, print_of_request)):
                return earlier
            status, body = self._run(scope, route, identifiers, raw, request.path, print_of_request)
        return _text(body, status, scope, key)

    def _run(
        self,
        scope: Scope,
        route: Route,
        identifiers: list[str],
        raw: str,
        url: str,
        asked: str,
    ) -> tuple[int, str]:
        """Work and the reply kept for its idempotency key are one transaction: a kill between them cannot repeat it."""
        params = check(parse(raw), route.spec)
        try:
            with self._store.transaction(), self._moment(scope, params, identifiers):
                try:
                    answer = self._work(scope, route, identifiers, params, url)
                except ApiError as error:
                    if error.keep:
                        self._keep(scope, asked, error.status, json.dumps({"error": error.error}))
                    raise
                body = json.dumps(answer)
                self._keep(scope, asked, 200, body)
                return 200, body
        except _Unsaved as preview:
            return 200, json.dumps(preview.answer)
        except ApiError as error:
            if error.validation:
                raise
            body = json.dumps({"error": error.error})
            if not error.keep:
                with self._store.transaction():
                    self._keep(scope, asked, error.status, body)
            return error.status, body

    def _work(self, scope: Scope, route: Route, identifiers: list[str], params: Obj, url: str) -> Obj:
        made: Any = route.handler(scope, dict(params), *identifiers)
        if isinstance(made, Page):
            return page_of(scope, made, params, url)
        answer = rendered(scope, made, params.get("expand", []))
        if isinstance(made, Preview):
            raise _Unsaved(answer)
        return answer

    def _keep(self, scope: Scope, asked: str, status: int, body: str) -> None:
        if scope.idempotency_key:
            self._store.keep_reply(scope.account, scope.idempotency_key, asked, status, body, scope.now)

    def _moment(self, scope: Scope, params: Obj, identifiers: list[str]) -> AbstractContextManager[None]:
        """A request about a customer on a test clock happens at that clock's frozen time."""
        names = [*identifiers, params.get("customer"), params.get("subscription"), params.get("test_clock")]
        for name in filter(None, names):
            found = self._store.load_by_id(scope.account, name) or {}
            clock = found["id"] if found.get("object") == "test_helpers.test_clock" else found.get("test_clock")
            frozen = scope.find("test_helpers.test_clock", clock)
            if frozen:
                return scope.clock.at(frozen["frozen_time"])
        return nullcontext()

    def _match(self, request: Request) -> tuple[Route, list[str]]:
        for route, pattern in self._routes:
            if route.method == request.method and (found := pattern.fullmatch(request.path)):
                return route, list(found.groups())
        raise ApiError(
            404,
            "invalid_request_error",
            f"Unrecognized request URL ({request.method}: {request.path}). "
            "The sandbox carries a part of Stripe's API; its README lists it.",
        )

    def _check_account(self, scope: Scope) -> None:
        if scope.account:
            reachable(scope, scope.account)

    def _replayed(self, scope: Scope, key: str, request: str) -> Response | None:
        with self._store.transaction():
            self._store.forget_replies(scope.now - DAY)
            earlier = self._store.reply(scope.account, key)
        if earlier is None:
            return None
        if earlier[0] != request:
            raise ApiError(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same "
                f"parameters they were first used with. Try using a key other than '{key}' if you meant to "
                "execute a different request.",
                validation=True,
            )
        response = _text(earlier[2], earlier[1], scope, key)
        response.headers["Idempotent-Replayed"] = "true"
        return response


class _Unsaved(Exception):
    """Carries a preview's answer out of a transaction that is rolled back."""

    def __init__(self, answer: Obj) -> None:
        super().__init__("preview")
        self.answer = answer


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", r"([^/]+)", path))


def _authenticate(request: Request) -> None:
    header = request.headers.get("Authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            raise unreadable("The Authorization header is not readable.") from None
    if not value:
        raise ApiError(
            401,
            "invalid_request_error",
            "You did not provide an API key. You need to provide your API "
            "key in the Authorization header, using Bearer auth.",
            validation=True,
        )
    if value != SANDBOX_SECRET_KEY:
        raise wrong_key(value)


def json_answer(body: Obj, status: int = 200) -> Response:
    return Response(json.dumps(body), status, mimetype="application/json")


def _text(body: str, status: int, scope: Scope, key: str | None) -> Response:
    response = Response(body, status, mimetype="application/json")
    response.headers["Request-Id"] = scope.request_id or ""
    if key:
        response.headers["Idempotency-Key"] = key
    return response
