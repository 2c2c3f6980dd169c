"""The sandbox's own pages: what exists, what happened, and the control plane for a person. No script is needed.

A form carries a token that only these pages show, so no page of another site can press a button here.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from typing import Any

from markupsafe import Markup, escape
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from creator_hub.stripe_sandbox import control
from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted.page import page, sorry
from creator_hub.stripe_sandbox.resources import disputes, dunning, fraud_warnings, payouts, refunds
from creator_hub.stripe_sandbox.scope import PLATFORM, Scope, public
from creator_hub.stripe_sandbox.store import Obj

PATHS = ("/objects/", "/object/", "/events", "/do/")
SHOWN = 50
_NUMBERS = ("seconds", "count", "amount", "to")
_FLAGS = ("return_fee",)
_ID = re.compile(r"&#34;((?:[a-z]+_)+[A-Za-z0-9]{8,})&#34;(?!:)")


def handle(scope: Scope, request: Request, form: dict[str, str]) -> Response | None:
    """Answer one of these pages; None for an address that is none."""
    first, _, rest = request.path.strip("/").partition("/")
    if request.method == "POST":
        return _do(scope, rest, form) if first == "do" and rest else None
    account = request.args.get("account", PLATFORM)
    if not first:
        return _overview(scope)
    if first == "objects" and rest:
        return _objects(scope, rest, account)
    if first == "object" and rest:
        return _object(scope, rest)
    if first == "events":
        return _page(scope, "console_events.html", rows=scope.store.newest(4 * SHOWN, "event"))
    return None


def _page(scope: Scope, template: str, **values: Any) -> Response:
    said = scope.store.meta("console_said")
    if said:
        scope.store.set_meta("console_said", None)
    accounts = scope.all("account")
    return page(template, token=_token(scope), said=said, now=scope.now, accounts=accounts, **values)


def _token(scope: Scope) -> str:
    found = scope.store.meta("console_token")
    if not found:
        found = secrets.token_urlsafe(24)
        scope.store.set_meta("console_token", found)
    return str(found)


def _overview(scope: Scope) -> Response:
    owners = [PLATFORM, *(account["id"] for account in scope.all("account"))]
    return _page(
        scope,
        "console.html",
        offset=scope.clock.offset,
        kinds=[(owner, kinds) for owner in owners if (kinds := scope.store.kinds(owner))],
        rows=scope.store.newest(15, "event"),
        hooks=control.webhook_state(scope),
        endpoints=scope.all("webhook_endpoint"),
        declines=control.DECLINES,
        declining=scope.store.meta("decline_next", []),
        modes=control.WEBHOOK_MODES,
        rules=dunning.rules(scope),
        afters=dunning.AFTER_RETRIES,
        failures=sorted(payouts.FAILURE_TEXT),
    )


def _objects(scope: Scope, kind: str, account: str) -> Response:
    rows = [(owner, public(row), _gist(row)) for owner, row in scope.store.newest(SHOWN, kind, account)]
    return _page(scope, "console_objects.html", kind=kind, account=account, rows=rows, limit=SHOWN)


def _gist(row: Obj) -> str:
    """The field that tells most about an object in a list."""
    for name in ("name", "email", "nickname", "code", "description", "url", "reason", "type"):
        if row.get(name) and isinstance(row[name], str):
            return str(row[name])
    return ""


def _object(scope: Scope, identifier: str) -> Response:
    found = scope.store.owner(identifier)
    if found is None:
        return sorry("No such object", f"Nothing here has the id {identifier}.")
    account, body = found
    text = json.dumps(public(body), indent=2, ensure_ascii=False)
    linked = Markup(_ID.sub(r'&#34;<a href="/object/\1">\1</a>&#34;', str(escape(text))))  # noqa: S704 - escaped above
    return _page(
        scope,
        "console_object.html",
        account=account,
        kind=body["object"],
        row=body,
        text=linked,
        events=scope.store.about(identifier, SHOWN),
        reasons=disputes.REASONS,
        frauds=fraud_warnings.FRAUD_TYPES,
        failures=sorted(payouts.FAILURE_TEXT),
        refund_failures=refunds.FAILURES,
    )


def _do(scope: Scope, command: str, form: dict[str, str]) -> Response:
    if not hmac.compare_digest(form.pop("token", ""), _token(scope)):
        return sorry("Nothing was done", "Open the page again and repeat what you wanted.", "/", 403)
    back = form.pop("back", "/")
    try:
        with scope.store.step():
            control.run(scope, f"/_control/{command}", _body(form))
        said = {"text": f"Done: {command.split('/')[0].replace('_', ' ')}.", "bad": False}
    except ApiError as error:
        said = {"text": error.error["message"], "bad": True}
    scope.store.set_meta("console_said", said)
    return redirect(back if back.startswith("/") and not back.startswith("//") else "/", 303)


def _body(form: dict[str, str]) -> Obj:
    """The form as the control plane's JSON; empty fields are left out."""
    body: Obj = {}
    for name, value in form.items():
        if name == "days":
            body["seconds"] = _number(value) * 86_400
        elif name == "retry_days":
            body[name] = [_number(part) for part in value.split(",") if part.strip()]
        elif value.strip():
            body[name] = _number(value) if name in _NUMBERS else True if name in _FLAGS else value.strip()
    return body


def _number(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise ApiError(400, "invalid_request_error", f"“{text.strip()}” is no whole number.") from None
