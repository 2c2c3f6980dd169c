"""Pages of finance, and a creator's earnings. The forms submit to the JSON routes."""

from __future__ import annotations

from typing import Any

from flask import render_template
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.core import clock
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import page
from creator_hub.core.paging import PageRequest
from creator_hub.groups import doors
from creator_hub.money import billing_queries, exports, finance_queries, inbox, payout_accounts, payout_queries

SHOWN = PageRequest(limit=20)


@page("/finance", permission=Permission.SEE_FINANCE)
def finance_page(session: Session, actor: Actor) -> str:
    """Balances, payout runs, payouts, exports, months, the latest ledger entries."""
    balances = finance_queries.balances(session)
    owed_in = sorted({due.payable.currency for due in balances.creators})
    context: dict[str, Any] = {
        "balances": balances,
        "currencies": [(code, code) for code in owed_in],
        "runs": payout_queries.runs(session, SHOWN).items,
        "payouts": payout_queries.payouts(session, SHOWN).items,
        "exports": exports.newest(session),
        "export_creators": list({str(due.creator.id): f"@{due.creator.handle}" for due in balances.creators}.items()),
        "export_handles": {due.creator.id: due.creator.handle for due in balances.creators},
        "export_currencies": [(code, code) for code in exports.currencies(session)],
        "stuck": inbox.stuck(session),
        "disputes": billing_queries.disputes(session, SHOWN).items,
        "adjustments": finance_queries.adjustments(session, SHOWN).items,
        "periods": finance_queries.periods(session),
        "entries": finance_queries.entries(session, SHOWN).items,
        "this_month": f"{clock.now():%Y-%m}",
        "words": state_words(),
        "kinds": account_words(),
        "actor_id": actor.person(),
    }
    return render_template("money/finance.html", **context)


@page("/g/<handle>/payouts", permission=Permission.SEE_EARNINGS)
def payouts_page(session: Session, actor: Actor, handle: str) -> str:
    """What the group's owner has earned, what is payable, and what was paid."""
    door = doors.group_by_handle(session, actor, handle, Permission.SEE_EARNINGS)
    owner_id = door.group.owner_id
    account = payout_accounts.of(session, owner_id)
    context: dict[str, Any] = {
        "group": door.group,
        "owns": door.standing.role == "creator",
        "account_state": account.state if account else "none",
        "account": account,
        "due": finance_queries.creators_due(session, creator_id=owner_id),
        "payouts": payout_queries.payouts(session, SHOWN, creator_id=owner_id).items,
        "hold_days": settings.current().payout_hold_days,
        "words": state_words(),
    }
    return render_template("money/payouts.html", **context)


def state_words() -> dict[str, tuple[str, str]]:
    """What a state is called, and its tone."""
    return {
        "draft": (_("Waiting"), "neutral"),
        "approved": (_("Approved"), "accent"),
        "running": (_("Being sent"), "accent"),
        "done": (_("Done"), "good"),
        "sent": (_("Sent"), "accent"),
        "confirmed": (_("At the bank"), "good"),
        "failed": (_("Failed"), "bad"),
        "reversed": (_("Taken back"), "warn"),
        "open": (_("Open"), "neutral"),
        "closed": (_("Closed"), "good"),
        "none": (_("No payout account"), "warn"),
        "onboarding": (_("Onboarding"), "warn"),
        "restricted": (_("Stripe needs details"), "bad"),
        "active": (_("Ready"), "good"),
    }


def account_words() -> dict[str, str]:
    """What a ledger account is called."""
    return {
        "processor": _("At Stripe"),
        "bank": _("At the bank"),
        "dispute_hold": _("Held for disputes"),
        "creator_receivable": _("Owed by a creator"),
        "creator_payable": _("Owed to a creator"),
        "payout_clearing": _("Payouts under way"),
        "tax_payable": _("Tax to remit"),
        "fan_credit": _("Credit of fans"),
        "gift_deferred": _("Gifts not yet used"),
        "deferred_revenue": _("Paid ahead"),
        "platform_fee": _("Platform fees"),
        "processor_fee": _("Stripe's fees"),
        "dispute_fee": _("Dispute fees"),
        "goodwill": _("Goodwill"),
        "bad_debt": _("Bad debt"),
        "fx": _("Exchange differences"),
    }
