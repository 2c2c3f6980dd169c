"""Pages of billing: what one pays for, and where Checkout leads back to."""

from __future__ import annotations

import uuid
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session

from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import Redirect, page
from creator_hub.core.errors import Conflict, Gone, NotFound
from creator_hub.core.paging import PageRequest
from creator_hub.money import billing_queries, plan_changes, subscriptions

SHOWN = 20


@page("/billing", permission=Permission.OWN_BILLING)
def billing_page(session: Session, actor: Actor) -> str:
    """Subscriptions and payments, with what to do about a declined card."""
    asked = PageRequest(limit=SHOWN, after=request.args.get("after"))
    context: dict[str, Any] = {
        "subscriptions": billing_queries.subscriptions_of(session, actor.person()),
        "payments": billing_queries.payments_of(session, actor.person(), asked),
        "first_page": asked.after is None,
    }
    return render_template("money/billing.html", **context)


@page("/billing/return", permission=Permission.OWN_BILLING)
def return_page(session: Session, actor: Actor) -> str | Redirect:
    """Back from Checkout: into the group once the tier is open; else what to wait for or to do."""
    checkout = billing_queries.checkout_by(
        session,
        actor.person(),
        stripe_id=request.args.get("session_id", ""),
        own_id=request.args.get("checkout", ""),
    )
    if checkout.state == "ready":
        return Redirect(f"/g/{checkout.group.handle}")
    left_early = checkout.state == "waiting" and "session_id" not in request.args
    return render_template("money/billing_return.html", checkout=checkout, left_early=left_early)


@page("/billing/change/<uuid:subscription_id>", permission=Permission.OWN_BILLING, transaction=False)
def change_page(actor: Actor, subscription_id: uuid.UUID) -> str:
    """The tiers to change to; with one chosen, what that costs and opens, as Stripe will charge it."""
    with unit_of_work() as session:
        row = subscriptions.own(session, actor, subscription_id)
        shown = billing_queries.subscription_view(session, row)
    change, refusal = None, ""
    if chosen := request.args.get("tier"):
        try:
            change = plan_changes.preview(actor, subscription_id, _uuid(chosen))
        except (Conflict, Gone) as why:
            refusal = why.detail
    return render_template("money/billing_change.html", subscription=shown, change=change, refusal=refusal)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise NotFound from None
