"""Which page answers which address."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from werkzeug.wrappers import Request, Response

from creator_hub.stripe_sandbox.hosted import console
from creator_hub.stripe_sandbox.hosted.bank_page import approve
from creator_hub.stripe_sandbox.hosted.checkout_page import pay
from creator_hub.stripe_sandbox.hosted.connect_pages import account_page, onboard
from creator_hub.stripe_sandbox.hosted.invoice_page import invoice
from creator_hub.stripe_sandbox.hosted.page import sorry
from creator_hub.stripe_sandbox.hosted.portal_page import portal
from creator_hub.stripe_sandbox.scope import Scope

Handler = Callable[[Scope, str, dict[str, str], str], Response]
PAGES: dict[tuple[str, str], Handler] = {
    ("c", "pay"): pay,
    ("c", "3ds"): approve,
    ("c", "invoice"): invoice,
    ("p", "session"): portal,
    ("connect", "onboard"): onboard,
    ("connect", "account"): account_page,
}


def handle(scope: Scope, request: Request) -> Response:
    """Answer a page or its form. Errors a person can mend come back on the page itself."""
    form = {} if request.method == "GET" else dict(parse_qsl(request.get_data(as_text=True)))
    parts = request.path.strip("/").split("/")
    if len(parts) == 3 and (parts[0], parts[1]) in PAGES:
        return PAGES[parts[0], parts[1]](scope, parts[2], form, request.method)
    return console.handle(scope, request, form) or sorry("Page not found", "The address is wrong or the page is gone.")
