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
from creator_hub.money import (
    billing_queries,
    billing_schemas,
    checkout,
    inbox,
    pauses,
    plan_changes,
    refunds,
    subscriptions,
)
from creator_hub.money.billing_models import Refund, Subscription
from creator_hub.money.billing_queries import CheckoutView, DisputeView, PaymentView, SubscriptionView
from creator_hub.money.checkout import Visit
from creator_hub.money.plan_changes import Change


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
    """End a pause, or take a cancellation back before it comes true."""
    with unit_of_work() as session:
        paused = subscriptions.own(session, actor, subscription_id).state == "paused"
    if paused:
        return _shown(pauses.resume(actor, subscription_id))
    return _set_cancelled(actor, subscription_id, False)


@route(
    "POST",
    "/subscriptions/<uuid:subscription_id>/pause",
    permission=Permission.OWN_BILLING,
    body=billing_schemas.PauseIn(),
    body_optional=True,
    answer=billing_schemas.SubscriptionOut(),
    transaction=False,
)
def pause(actor: Actor, subscription_id: uuid.UUID, body: dict[str, Any]) -> SubscriptionView:
    """Charge nothing for a while; the paid time that is left is kept."""
    return _shown(pauses.pause(actor, subscription_id, body.get("until")))


@route(
    "POST",
    "/subscriptions/<uuid:subscription_id>/preview",
    permission=Permission.OWN_BILLING,
    body=billing_schemas.PreviewIn(),
    answer=billing_schemas.ChangeOut(),
    transaction=False,
)
def preview_change(actor: Actor, subscription_id: uuid.UUID, body: dict[str, Any]) -> Change:
    """What changing to another tier charges, credits and opens, and when."""
    return plan_changes.preview(actor, subscription_id, body["tier_id"])


@route(
    "POST",
    "/subscriptions/<uuid:subscription_id>/change",
    permission=Permission.OWN_BILLING,
    body=billing_schemas.ChangeIn(),
    answer=billing_schemas.SubscriptionOut(),
    transaction=False,
)
def change_tier(actor: Actor, subscription_id: uuid.UUID, body: dict[str, Any]) -> SubscriptionView:
    """Change to another tier: up at once, down at the end of what is paid."""
    return _shown(plan_changes.change(actor, subscription_id, body["tier_id"], body["as_of"]))


def _set_cancelled(actor: Actor, subscription_id: uuid.UUID, cancelled: bool) -> SubscriptionView:
    return _shown(subscriptions.set_cancelled(actor, subscription_id, cancelled))


def _shown(row: Subscription) -> SubscriptionView:
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
    "GET",
    "/groups/<handle>/disputes",
    permission=Permission.SEE_EARNINGS,
    query=ListQuery(),
    answer=page_of(billing_schemas.DisputeOut),
)
def list_disputes(session: Session, actor: Actor, handle: str, query: PageRequest) -> Page[DisputeView]:
    """A group's disputes with their deadlines, newest first."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS)
    return billing_queries.disputes(session, query, group=door.group)


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
