"""JSON routes of billing: subscribe, cancel, resume, payments, refunds, and Stripe's webhooks."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core.access import Actor, Permission
from creator_hub.core.db import unit_of_work
from creator_hub.core.edge import route
from creator_hub.core.paging import Page, PageRequest
from creator_hub.core.schemas import ListQuery, WireSchema, page_of
from creator_hub.groups import doors
from creator_hub.money import billing_queries, billing_schemas, checkout, inbox, refunds, subscriptions
from creator_hub.money.billing_models import Refund
from creator_hub.money.billing_queries import CheckoutView, PaymentView, SubscriptionView
from creator_hub.money.checkout import Visit


@route(
    "POST",
    "/tiers/<uuid:tier_id>/checkout",
    permission=Permission.JOIN,
    body=WireSchema(),
    body_optional=True,
    answer=billing_schemas.CheckoutOut(),
    status=201,
    transaction=False,
    limit="30/minute",
)
def start_checkout(actor: Actor, tier_id: uuid.UUID, body: dict[str, Any]) -> Visit:
    """Subscribe to a tier: the address of the hosted Checkout page."""
    return checkout.start(actor, tier_id)


@route(
    "GET",
    "/me/checkouts/<session_id>",
    permission=Permission.OWN_BILLING,
    answer=billing_schemas.CheckoutStateOut(),
)
def show_checkout(session: Session, actor: Actor, session_id: str) -> CheckoutView:
    """What became of one's own checkout: waiting, ready, expired or refused."""
    return billing_queries.checkout_by(session, actor.person(), stripe_id=session_id)


@route("GET", "/me/subscriptions", permission=Permission.WITHDRAW, answer=billing_schemas.SubscriptionList())
def list_subscriptions(session: Session, actor: Actor) -> dict[str, Any]:
    """One's own subscriptions, the living first."""
    return {"items": billing_queries.subscriptions_of(session, actor.person()), "next": None}


@route(
    "POST",
    "/subscriptions/<uuid:subscription_id>/cancel",
    permission=Permission.WITHDRAW,
    body=billing_schemas.CancelIn(),
    body_optional=True,
    answer=billing_schemas.SubscriptionOut(),
    transaction=False,
)
def cancel(actor: Actor, subscription_id: uuid.UUID, body: dict[str, Any]) -> SubscriptionView:
    """Cancel at the end of what is paid."""
    return _set_cancelled(actor, subscription_id, not body.get("withdraw", False))


@route(
    "POST",
    "/subscriptions/<uuid:subscription_id>/resume",
    permission=Permission.OWN_BILLING,
    body=WireSchema(),
    body_optional=True,
    answer=billing_schemas.SubscriptionOut(),
    transaction=False,
)
def resume(actor: Actor, subscription_id: uuid.UUID, body: dict[str, Any]) -> SubscriptionView:
    """Take a cancellation back before it comes true."""
    return _set_cancelled(actor, subscription_id, False)


def _set_cancelled(actor: Actor, subscription_id: uuid.UUID, cancelled: bool) -> SubscriptionView:
    row = subscriptions.set_cancelled(actor, subscription_id, cancelled)
    with unit_of_work() as session:
        return billing_queries.subscription_view(session, row)


@route(
    "GET",
    "/me/payments",
    permission=Permission.OWN_BILLING,
    query=ListQuery(),
    answer=page_of(billing_schemas.PaymentOut),
)
def list_own_payments(session: Session, actor: Actor, query: PageRequest) -> Page[PaymentView]:
    """What one has paid, newest first."""
    return billing_queries.payments_of(session, actor.person(), query)


@route(
    "GET",
    "/groups/<handle>/payments",
    permission=Permission.SEE_EARNINGS,
    query=ListQuery(),
    answer=page_of(billing_schemas.GroupPaymentOut),
)
def list_group_payments(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[PaymentView]:
    """What a group's members have paid, newest first."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS)
    return billing_queries.payments_to(session, door.group, query)


@route(
    "POST",
    "/payments/<uuid:payment_id>/refunds",
    permission=Permission.ISSUE_REFUND,
    body=billing_schemas.RefundIn(),
    answer=billing_schemas.RefundOut(),
    status=201,
    transaction=False,
)
def issue_refund(actor: Actor, payment_id: uuid.UUID, body: dict[str, Any]) -> Refund:
    """Give a payment back, whole or in part; a whole refund ends the access."""
    return refunds.issue(actor, payment_id, body["amount"], body["reason"])


@route("POST", "/webhooks/stripe", permission=Permission.RECEIVE_WEBHOOK, csrf=False, raw_body=True)
def stripe_webhook(session: Session, actor: Actor) -> dict[str, Any]:
    """Stripe's events of the platform account."""
    return _receive(session, settings.current().stripe_webhook_secret)


@route("POST", "/webhooks/stripe-connect", permission=Permission.RECEIVE_WEBHOOK, csrf=False, raw_body=True)
def stripe_connect_webhook(session: Session, actor: Actor) -> dict[str, Any]:
    """Stripe's events of connected accounts."""
    return _receive(session, settings.current().stripe_connect_webhook_secret)


def _receive(session: Session, secret: str) -> dict[str, Any]:
    inbox.receive(session, request.get_data(), request.headers.get("Stripe-Signature", ""), secret)
    return {"received": True}
