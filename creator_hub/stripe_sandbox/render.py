"""How stored objects leave: without private keys, with what changes by the clock, with `expand` followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from creator_hub.stripe_sandbox.errors import invalid, missing
from creator_hub.stripe_sandbox.routes import Page
from creator_hub.stripe_sandbox.scope import Scope, public
from creator_hub.stripe_sandbox.store import Obj


def list_object(url: str, data: list[Obj], *, has_more: bool = False) -> Obj:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


class Preview(dict):  # type: ignore[type-arg]
    """An answer whose making must leave no trace: the server rolls the transaction back."""


# Fields that Stripe leaves out unless they are expanded: (kind, field) → how to make them.
INCLUDABLE: dict[tuple[str, str], Callable[[Scope, Obj], Any]] = {
    ("invoice", "payments"): lambda scope, invoice: list_object(
        "/v1/invoice_payments", scope.all("invoice_payment", invoice=invoice["id"])
    ),
    ("charge", "refunds"): lambda scope, charge: list_object(
        f"/v1/charges/{charge['id']}/refunds", scope.all("refund", charge=charge["id"])[::-1]
    ),
    ("customer", "subscriptions"): lambda scope, customer: list_object(
        f"/v1/customers/{customer['id']}/subscriptions",
        [sub for sub in scope.all("subscription", customer=customer["id"]) if sub["status"] != "canceled"][::-1],
    ),
    ("coupon", "applies_to"): lambda _, coupon: {"products": coupon.get("_products", [])},
    ("checkout.session", "line_items"): lambda _, session: list_object(
        f"/v1/checkout/sessions/{session['id']}/line_items", session["_line_items"]
    ),
}


def rendered(scope: Scope, obj: Obj, expand: list[str]) -> Obj:
    """The object as the client sees it. Raises 400 for a field that cannot be expanded."""
    body = _shown(scope, obj)
    for path in sorted(expand):
        _expand(scope, obj, body, path.split("."), path)
    return body


def _shown(scope: Scope, obj: Obj) -> Obj:
    body: Obj = public(obj)
    if body.get("object") == "balance_transaction":
        body["status"] = "available" if body["available_on"] <= scope.now else "pending"
    if body.get("object") == "event":
        body["pending_webhooks"] = scope.store.undelivered(body["id"])
    return body


def _expand(scope: Scope, source: Obj, body: Any, parts: list[str], path: str) -> None:
    if isinstance(body, list):
        for item in body:
            _expand(scope, item, item, parts, path)
        return
    name, rest = parts[0], parts[1:]
    if body is None:
        return
    if name not in body:
        maker = INCLUDABLE.get((body.get("object", ""), name))
        if maker is None:
            raise invalid(f"This property cannot be expanded ({path}).", param="expand")
        stored = scope.find(body["object"], body["id"]) or source
        made = maker(scope, stored)
        body[name] = {**made, "data": [_shown(scope, item) for item in made["data"]]} if "data" in made else made
    elif isinstance(body[name], str):
        found = scope.store.load_by_id(scope.account, body[name])
        if found is None:
            raise invalid(f"This property cannot be expanded ({path}).", param="expand")
        body[name] = _shown(scope, found)
    elif isinstance(body[name], list):
        body[name] = [_loaded(scope, item) for item in body[name]]
    if rest:
        _expand(scope, body[name], body[name], rest, path)


def _loaded(scope: Scope, item: Any) -> Any:
    if not isinstance(item, str):
        return item
    found = scope.store.load_by_id(scope.account, item)
    return item if found is None else _shown(scope, found)


def page_of(scope: Scope, page: Page, params: Obj, url: str) -> Obj:
    """Cut a list to `limit`, after `starting_after` or before `ending_before`; newest first as Stripe sorts."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Limit must be between 1 and 100.", param="limit")
    older = _cursor(scope, page.kind, params.get("starting_after"), "starting_after")
    newer = _cursor(scope, page.kind, params.get("ending_before"), "ending_before")
    wanted = limit + 1 if page.keep is None else None
    rows = scope.store.select(
        scope.account,
        page.kind,
        page.equal,
        created=page.created,
        before=older,
        after=newer,
        limit=wanted,
        oldest_first=newer is not None,
    )
    if page.keep is not None:
        rows = [row for row in rows if page.keep(row)]
    data, has_more = rows[:limit], len(rows) > limit
    if newer is not None:
        data.reverse()
    expand = [path.removeprefix("data.") for path in params.get("expand", [])]
    return list_object(url, [rendered(scope, row, expand) for row in data], has_more=has_more)


def _cursor(scope: Scope, kind: str, identifier: str | None, param: str) -> int | None:
    if identifier is None:
        return None
    seq = scope.store.sequence_of(scope.account, kind, identifier)
    if seq is None:
        raise missing(kind.replace("_", " "), identifier, param)
    return seq
