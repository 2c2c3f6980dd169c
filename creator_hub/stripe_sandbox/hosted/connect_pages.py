"""Onboarding a connected account, and the creator's own look at it."""

from __future__ import annotations

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from creator_hub.stripe_sandbox.hosted.page import page, sorry, web_only
from creator_hub.stripe_sandbox.resources import onboarding
from creator_hub.stripe_sandbox.scope import Scope


def onboard(scope: Scope, token: str, form: dict[str, str], method: str) -> Response:
    link = scope.find("account_link", token)
    if link is None:
        return sorry("Link not found", "Ask the site that sent you here for a new link.")
    back = web_only(link["_refresh_url"])
    if link["expires_at"] <= scope.now or link.get("_used"):
        return redirect(back, 303) if back else sorry("This link has expired", "Ask for a new one.", status=410)
    account = scope.get("account", link["_account"])
    if method == "GET":
        return page("onboard.html", account=account, form={}, mistakes={})
    mistakes = {}
    if not form.get("name", "").strip():
        mistakes["name"] = "Enter your legal name."
    if not form.get("bank", "").replace(" ", "").isalnum() or len(form.get("bank", "").replace(" ", "")) < 8:
        mistakes["bank"] = "Enter an account number or IBAN of at least eight characters."
    if form.get("terms") != "on":
        mistakes["terms"] = "Agree to the terms to be paid."
    if mistakes:
        return page("onboard.html", 422, account=account, form=form, mistakes=mistakes)
    onboarding.complete_onboarding(scope, account["id"], name=form["name"].strip(), last4=form["bank"].strip()[-4:])
    scope.save({**link, "_used": True})
    back = web_only(link["_return_url"])
    return redirect(back, 303) if back else sorry("You are set up", "You can close this page.", status=200)


def account_page(scope: Scope, identifier: str, form: dict[str, str], method: str) -> Response:
    account = scope.find("account", identifier)
    if account is None:
        return sorry("Account not found", "This account does not exist.")
    return page("account.html", account=account, payouts=scope.of(identifier).all("payout")[::-1])
