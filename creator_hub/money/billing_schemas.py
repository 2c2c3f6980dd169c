"""Wire shapes of billing."""

from __future__ import annotations

from marshmallow import fields

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.core.schemas import MoneyField, Text, Timestamp, WireSchema
from creator_hub.groups.schemas import LONGEST_REASON, GroupRef, TierRef


class CheckoutOut(WireSchema):
    url = fields.String()
    session_id = fields.String()


class CheckoutStateOut(WireSchema):
    id = fields.UUID()
    group = fields.Nested(GroupRef)
    tier = fields.Nested(TierRef)
    state = fields.String()
    progress = fields.Float()


class SubscriptionOut(WireSchema):
    id = fields.UUID()
    group = fields.Nested(GroupRef)
    tier = fields.Nested(TierRef)
    state = fields.String()
    interval = fields.String()
    current_period_end = Timestamp()
    cancel_at_period_end = fields.Boolean()
    access_until = Timestamp()
    price = MoneyField()
    pending_tier = fields.Nested(TierRef, allow_none=True)


class SubscriptionList(WireSchema):
    items = fields.List(fields.Nested(SubscriptionOut))
    next = fields.String(allow_none=True)


class ChangeIn(WireSchema):
    """`as_of` comes from the preview: with it, exactly what was previewed is charged."""

    tier_id = fields.UUID(required=True)
    as_of = fields.Integer(load_default=None, allow_none=True)


class PreviewIn(WireSchema):
    tier_id = fields.UUID(required=True)


class ChangeOut(WireSchema):
    """`charge` goes to the card at `effective_at`, after `unused` time and `credit_spent`; `then` is the price after
    `paid_until`."""

    group = fields.Nested(GroupRef)
    tier = fields.Nested(TierRef)
    old_tier = fields.Nested(TierRef)
    is_now = fields.Boolean()
    effective_at = Timestamp()
    charge = MoneyField()
    unused = MoneyField()
    credit_spent = MoneyField()
    credit_given = MoneyField()
    paid_until = Timestamp()
    then = MoneyField()
    as_of = fields.Integer(allow_none=True)


class PauseIn(WireSchema):
    until = Timestamp(load_default=None, allow_none=True)


class DisputeOut(WireSchema):
    id = fields.UUID()
    group = fields.Nested(GroupRef)
    user = fields.Nested(PublicUserOut)
    payment_id = fields.UUID()
    amount = MoneyField()
    reason = fields.String()
    state = fields.String()
    due_by = Timestamp(allow_none=True)
    opened_at = Timestamp()


class CancelIn(WireSchema):
    """`withdraw`: take back a cancellation that has not come true yet."""

    withdraw = fields.Boolean(load_default=False)


class PaymentOut(WireSchema):
    id = fields.UUID()
    group = fields.Nested(GroupRef)
    tier = fields.Nested(TierRef)
    subscription_id = fields.UUID()
    amount = MoneyField()
    refunded = MoneyField()
    paid_at = Timestamp()
    period_start = Timestamp()
    period_end = Timestamp()


class GroupPaymentOut(PaymentOut):
    user = fields.Nested(PublicUserOut)
    creator_share = MoneyField()


class RefundIn(WireSchema):
    amount = MoneyField(positive=True, load_default=None, allow_none=True)
    reason = Text(longest=LONGEST_REASON, required=True)


class RefundOut(WireSchema):
    id = fields.UUID()
    payment_id = fields.UUID()
    amount = MoneyField()
    reason = fields.String()
    state = fields.String()
    created_at = Timestamp()
