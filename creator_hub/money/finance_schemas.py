"""Wire shapes of finance and payouts."""

from __future__ import annotations

from marshmallow import fields, validate

from creator_hub.accounts.schemas import PublicUserOut
from creator_hub.core.paging import DEFAULT_LIMIT, MAX_LIMIT
from creator_hub.core.schemas import MoneyField, Text, Timestamp, WireSchema
from creator_hub.groups.schemas import LONGEST_REASON, GroupRef
from creator_hub.money.ledger_models import KINDS


def currency_field(*, required: bool = False) -> fields.String:
    code = validate.Regexp(r"[A-Z]{3}\Z", error="Use a three-letter ISO code in capitals.")
    return fields.String(required=True, validate=code) if required else fields.String(load_default=None, validate=code)


class UrlOut(WireSchema):
    url = fields.String()


class PayoutAccountOut(WireSchema):
    """`state`: none, onboarding, active (can be paid), restricted (Stripe wants something from the creator)."""

    state = fields.String()
    details_submitted = fields.Boolean()
    transfers_active = fields.Boolean()
    bank_payouts_enabled = fields.Boolean()


class BankDetailsIn(WireSchema):
    """An IBAN, or a US routing and account number; `password` proves that it is you."""

    holder = Text(longest=70, required=True)
    iban = fields.String(load_default="", validate=validate.Length(max=42))
    routing_number = fields.String(load_default="", validate=validate.Length(max=9))
    account_number = fields.String(load_default="", validate=validate.Length(max=17))
    password = fields.String(required=True, load_only=True, validate=validate.Length(max=1024))


class BankDetailsOut(WireSchema):
    last4 = fields.String()
    changed_at = Timestamp()
    held_until = Timestamp()


class RunIn(WireSchema):
    currency = currency_field(required=True)
    cut_off = Timestamp(allow_none=True, load_default=None)
    minimum = MoneyField(positive=True, allow_none=True, load_default=None)
    method = fields.String(load_default="stripe", validate=validate.OneOf(("stripe", "bank")))


class PayoutOut(WireSchema):
    id = fields.UUID()
    run_id = fields.UUID()
    creator = fields.Nested(PublicUserOut)
    group = fields.Nested(GroupRef, allow_none=True)
    amount = MoneyField()
    state = fields.String()
    reason = fields.String(allow_none=True)
    transfer_id = fields.String(allow_none=True)
    bank_state = fields.String(allow_none=True)
    sent_at = Timestamp(allow_none=True)


class RunOut(WireSchema):
    id = fields.UUID()
    currency = fields.String()
    cut_off = Timestamp()
    method = fields.String()
    state = fields.String()
    requested_by = fields.Nested(PublicUserOut)
    approved_by = fields.Nested(PublicUserOut, allow_none=True)
    created_at = Timestamp()
    approved_at = Timestamp(allow_none=True)
    total = MoneyField()
    payouts = fields.List(fields.Nested(PayoutOut))


class AccountBalanceOut(WireSchema):
    """`balance` is debits minus credits: what is owed to a creator is negative."""

    kind = fields.String()
    owner = fields.Nested(PublicUserOut, allow_none=True)
    place = fields.String(allow_none=True)
    balance = MoneyField()


class CreatorDueOut(WireSchema):
    creator = fields.Nested(PublicUserOut)
    payable = MoneyField()
    held = MoneyField()
    reserved = MoneyField()
    owed = MoneyField()
    available = MoneyField()
    account_state = fields.String()


class BalancesOut(WireSchema):
    """`problems` is what `ledger check` says; empty is a clean ledger."""

    accounts = fields.List(fields.Nested(AccountBalanceOut))
    creators = fields.List(fields.Nested(CreatorDueOut))
    problems = fields.List(fields.String())


class EntriesQuery(WireSchema):
    """Narrow the ledger's entries: by account kind, currency, creator, source. `limit` and `after` as in every list."""

    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    after = fields.String(load_default=None)
    account = fields.String(load_default=None, validate=validate.OneOf(KINDS))
    currency = currency_field()
    creator = fields.UUID(load_default=None)
    source = fields.String(load_default=None, validate=validate.Length(1, 200))


class LegOut(WireSchema):
    account = fields.String()
    owner = fields.Nested(PublicUserOut, allow_none=True)
    place = fields.String(allow_none=True)
    amount = MoneyField()


class EntryOut(WireSchema):
    """One ledger transaction; a leg's amount debits when positive and credits when negative."""

    id = fields.UUID()
    position = fields.Integer()
    source = fields.String()
    kind = fields.String()
    occurred_at = Timestamp()
    recorded_at = Timestamp()
    memo = fields.String()
    legs = fields.List(fields.Nested(LegOut))


class StuckEventOut(WireSchema):
    """An event of Stripe whose work failed three times; `id` names the work, `event` is Stripe's."""

    id = fields.UUID()
    event = fields.Pluck("StripeEventRef", "id")
    type = fields.String(attribute="event.type")
    since = Timestamp()
    error = fields.String()


class StripeEventRef(WireSchema):
    id = fields.String()


class StuckEventList(WireSchema):
    items = fields.List(fields.Nested(StuckEventOut))
    next = fields.String(allow_none=True)


class AdjustmentIn(WireSchema):
    entry_id = fields.UUID(required=True)
    reason = Text(longest=LONGEST_REASON, required=True)


class AdjustmentOut(WireSchema):
    """`state`: draft (waits for a second person), approved (the reversing entry is posted), withdrawn."""

    id = fields.UUID()
    entry = fields.Nested(EntryOut)
    reason = fields.String()
    state = fields.String()
    requested_by = fields.Nested(PublicUserOut)
    approved_by = fields.Nested(PublicUserOut, allow_none=True)
    created_at = Timestamp()
    approved_at = Timestamp(allow_none=True)


class PeriodOut(WireSchema):
    month = fields.String()
    state = fields.String()
    entries = fields.Integer()
    closed_at = Timestamp(allow_none=True)
    closed_by = fields.Nested(PublicUserOut, allow_none=True)


class PeriodList(WireSchema):
    items = fields.List(fields.Nested(PeriodOut))
    next = fields.String(allow_none=True)
