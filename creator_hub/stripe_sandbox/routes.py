"""The table of routes: which function answers which method and path, and what parameters it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from creator_hub.stripe_sandbox.forms import PAGE, Spec, merge_metadata
from creator_hub.stripe_sandbox.scope import Scope
from creator_hub.stripe_sandbox.store import Obj

Handler = Callable[..., Any]
F = TypeVar("F", bound=Handler)


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    spec: Spec
    handler: Handler


ROUTES: list[Route] = []


def route(method: str, path: str, spec: Spec | None = None) -> Callable[[F], F]:
    """Register a handler(scope, params, *path ids); `expand` is accepted everywhere, as Stripe does."""

    def register(handler: F) -> F:
        accepted: Spec = {"expand": [str], **(spec or {})}
        if method == "DELETE" and not spec:
            accepted = {}
        ROUTES.append(Route(method, path, accepted, handler))
        return handler

    return register


@dataclass(frozen=True, slots=True)
class Page:
    """A list answer still to be cut to its page by the server."""

    kind: str
    equal: dict[str, Any]
    created: dict[str, int] | None = None
    keep: Callable[[Obj], bool] | None = None


def listing(path: str, kind: str, filters: Spec | None = None) -> None:
    """A plain `GET` list whose filters are equal-named top-level fields of the objects, and `created`."""

    def handler(_: Scope, params: Obj) -> Page:
        names = set(filters or {}) - {"created"}
        return Page(kind, {name: params[name] for name in names if name in params}, created_range(params))

    route("GET", path, {**PAGE, **(filters or {})})(handler)


def created_range(params: Obj) -> dict[str, int] | None:
    given = params.get("created")
    return {"eq": given} if isinstance(given, int) else given


def apply(obj: Obj, params: Obj) -> None:
    """Write the given fields; metadata is merged, `expand` is no field."""
    for name, value in params.items():
        if name == "metadata":
            obj[name] = merge_metadata(obj.get(name), value)
        elif name != "expand":
            obj[name] = value


def updating(path: str, kind: str, fields: Spec) -> None:
    """A plain `POST` that writes equal-named top-level fields and tells it by `<kind>.updated`."""

    def handler(scope: Scope, params: Obj, identifier: str) -> Obj:
        with scope.changing(scope.get(kind, identifier), f"{kind}.updated") as obj:
            apply(obj, params)
        return obj

    route("POST", path, fields)(handler)


def deletion(path: str, kind: str) -> None:
    """A plain `DELETE` that no event tells of."""

    def handler(scope: Scope, _: Obj, identifier: str) -> Obj:
        scope.get(kind, identifier)
        scope.store.delete(scope.account, kind, identifier)
        return {"id": identifier, "object": kind, "deleted": True}

    route("DELETE", path)(handler)


def retrieval(path: str, kind: str) -> None:
    """A plain `GET` of one object."""

    def handler(scope: Scope, params: Obj, identifier: str) -> Obj:
        return scope.get(kind, identifier)

    route("GET", path)(handler)
