"""One line per route and socket event: the row of the table it stands under, and a request that is right in every way
but perhaps in who sends it. Bodies and addresses name things by their keys in `Town.ids`.

A route without a line here fails the tests: add one when you add a route.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Ids = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """`body` makes the request's body; `path` says which id to put where the parameter's name does not; `query` is
    added to the address. `private`: strangers must not learn that the object exists, though it hangs on no channel.
    `names`: what the body names instead of the address. `shown_in`: the test that shows the success, where one line
    cannot (a file, a signature)."""

    row: str
    body: Callable[[Ids], dict[str, Any]] | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    private: bool = False
    names: tuple[str, ...] = ()
    shown_in: str = ""


def body(**given: Any) -> Callable[[Ids], dict[str, Any]]:
    """A body that names no ids."""
    return lambda ids: given


def fresh() -> str:
    return str(uuid.uuid4())


PUBLIC = "public profile, tier prices, kept %"
READ = "read, search, live, media, reactions, by tier"
MEMBERS = "existence of a hidden group, member list"
POST = "post, react, upload"
EDIT = "edit own"
DELETE = "delete a message"
VOTE = "vote, propose an episode, ask"
RUN = "create, close polls, chains, Q&A"
BAN = "ban, mute"
MODERATOR = "make a moderator"
INVITE = "make, revoke an invite"
PRICE = "price, tier, coupon, promise"
BILLING = "own billing, refund request"
REFUND = "issue a refund"
EARNINGS = "earnings"
ACCOUNT = "change payout account"
PAYOUTS = "approve a payout run"
ADJUST = "adjust the ledger"
WITHDRAW = "appeal, report, withdraw"
FINANCE = "finance export"
ROLES = "roles and settings"
HOOKS = "webhooks"
COME_IN, SESSION, OWN = "come in", "session", "own account"
MOVE = "move to another tier"
OPEN, JOIN, LEAVE = "open a group", "join", "leave"
PERIOD = {"from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z", "currency": "USD"}
PRICED = {"price": {"amount_minor": 700, "currency": "USD"}, "interval": "month", "rank": 3, "benefits": []}
POLL = {"title": "Which?", "method": "plurality", "options": ["a", "b"]}
PROPOSAL = {"title": "Four", "body": "…", "accept_licence": True}

ROUTES: dict[str, Case] = {
    # accounts
    "POST /api/v1/users": Case(
        COME_IN, body(email="new@example.test", password="correct-horse-9", handle="new-one", display_name="New")
    ),
    "GET /api/v1/session": Case(SESSION),
    "POST /api/v1/session": Case(SESSION, body(email="fay@example.test", password="correct-horse-battery")),
    "DELETE /api/v1/session": Case("sign out"),
    "POST /api/v1/session/proof": Case(OWN, body(password="correct-horse-battery")),
    "POST /api/v1/email-changes/<token>": Case(SESSION, body(), path={"token": "email_token"}),
    "GET /confirm-email/<token>": Case(SESSION, path={"token": "email_token"}),
    "GET /confirm-password": Case(OWN),
    "GET /api/v1/role-changes": Case(ROLES),
    "GET /api/v1/me": Case(OWN),
    "PATCH /api/v1/me": Case(OWN, body(display_name="Somebody else")),
    "POST /api/v1/me/tokens": Case(OWN, body(name="phone")),
    "GET /api/v1/me/tokens": Case(OWN),
    "DELETE /api/v1/me/tokens/<uuid:token_id>": Case(OWN, private=True),
    "GET /api/v1/me/devices": Case(OWN),
    "DELETE /api/v1/me/devices": Case(OWN),
    "DELETE /api/v1/me/devices/<uuid:device_id>": Case(OWN, private=True),
    "POST /api/v1/password-resets": Case(COME_IN, body(email="fay@example.test")),
    "POST /api/v1/password-resets/<token>": Case(
        COME_IN, body(password="correct-horse-9"), path={"token": "reset_token"}
    ),
    "GET /api/v1/users/<handle>": Case(PUBLIC, path={"handle": "user_handle"}),
    "PUT /api/v1/users/<uuid:user_id>/roles": Case(ROLES, body(roles=["support"])),
    "GET /sign-in": Case(COME_IN),
    "GET /sign-up": Case(COME_IN),
    "GET /forgot-password": Case(COME_IN),
    "GET /reset-password/<token>": Case(COME_IN, path={"token": "reset_token"}),
    "GET /account": Case(OWN),
    # groups
    "POST /api/v1/groups": Case(OPEN, body(handle="new-group", name="New", about="", currency="USD")),
    "GET /api/v1/groups/<handle>": Case(PUBLIC),
    "PATCH /api/v1/groups/<handle>": Case(PRICE, body(name="Renamed")),
    "GET /api/v1/groups/<handle>/members": Case(MEMBERS),
    "POST /api/v1/groups/<handle>/join": Case(JOIN, body()),
    "POST /api/v1/groups/<handle>/leave": Case(LEAVE, body()),
    "GET /api/v1/groups/<handle>/tiers": Case(PUBLIC),
    "POST /api/v1/groups/<handle>/tiers": Case(PRICE, body(name="Gold", **PRICED)),
    "PATCH /api/v1/tiers/<uuid:tier_id>": Case(PRICE, body(name="Copper")),
    "DELETE /api/v1/tiers/<uuid:tier_id>": Case(PRICE),
    "GET /api/v1/groups/<handle>/channels": Case(READ),
    "POST /api/v1/groups/<handle>/channels": Case(PRICE, body(name="cellar")),
    "PATCH /api/v1/channels/<uuid:channel_id>": Case(PRICE, body(name="salon")),
    "POST /api/v1/groups/<handle>/invites": Case(INVITE, lambda ids: {"tier_id": ids["free_tier_id"], "max_uses": 3}),
    "GET /api/v1/groups/<handle>/invites": Case(INVITE),
    "DELETE /api/v1/invites/<uuid:invite_id>": Case(INVITE, private=True),
    "POST /api/v1/invites/<passcode>/redeem": Case(JOIN, body()),
    "PUT /api/v1/groups/<handle>/moderators/<uuid:user_id>": Case(MODERATOR),
    "DELETE /api/v1/groups/<handle>/moderators/<uuid:user_id>": Case(MODERATOR, path={"user_id": "moderator_id"}),
    "POST /api/v1/groups/<handle>/bans": Case(BAN, lambda ids: {"user_id": ids["user_id"], "reason": "spam"}),
    "GET /api/v1/groups/<handle>/bans": Case(BAN),
    "DELETE /api/v1/groups/<handle>/bans/<uuid:user_id>": Case(BAN, path={"user_id": "banned_id"}),
    "POST /api/v1/groups/<handle>/mutes": Case(BAN, lambda ids: {"user_id": ids["user_id"], "reason": "loud"}),
    "GET /api/v1/groups/<handle>/mutes": Case(BAN),
    "DELETE /api/v1/groups/<handle>/mutes/<uuid:user_id>": Case(BAN, path={"user_id": "muted_id"}),
    "GET /api/v1/groups/<handle>/audit": Case(BAN),
    "GET /groups/new": Case(OPEN),
    "GET /g/<handle>/settings": Case(BAN),
    "GET /join/<passcode>": Case(PUBLIC),
    # chat
    "GET /api/v1/channels/<uuid:channel_id>/events": Case(READ),
    "GET /api/v1/channels/<uuid:channel_id>/messages": Case(READ),
    "POST /api/v1/channels/<uuid:channel_id>/messages": Case(
        POST, lambda ids: {"client_msg_id": fresh(), "text": "hi", "reply_to": ids["message_id"]}
    ),
    "PATCH /api/v1/messages/<uuid:message_id>": Case(EDIT, body(text="better")),
    "DELETE /api/v1/messages/<uuid:message_id>": Case(DELETE),
    "POST /api/v1/messages/<uuid:message_id>/restore": Case(BAN, path={"message_id": "gone_message_id"}),
    "PUT /api/v1/messages/<uuid:message_id>/reactions/<emoji>": Case(POST, path={"emoji": "👍"}),
    "DELETE /api/v1/messages/<uuid:message_id>/reactions/<emoji>": Case(POST, path={"emoji": "👍"}),
    "POST /api/v1/uploads": Case(POST, query="channel_id={channel_id}", shown_in="chat/test_uploads.py"),
    "GET /api/v1/uploads/<uuid:upload_id>": Case(READ),
    "GET /api/v1/uploads/<uuid:upload_id>/thumbnail": Case(READ),
    "PUT /api/v1/channels/<uuid:channel_id>/read": Case(READ, body(seq=1)),
    "GET /api/v1/groups/<handle>/search": Case(READ, query="q=hello"),
    "GET /g/<handle>": Case(PUBLIC),
    # moderation
    "POST /api/v1/reports": Case(
        READ, lambda ids: {"message_id": ids["message_id"], "kind": "spam"}, names=("message_id",)
    ),
    "GET /api/v1/groups/<handle>/reports": Case(BAN),
    "GET /g/<handle>/reports": Case(BAN),
    "POST /api/v1/reports/<uuid:report_id>/decision": Case(BAN, body(action="dismiss", reason="all is well")),
    # voting
    "POST /api/v1/channels/<uuid:channel_id>/polls": Case(RUN, lambda ids: POLL | {"weights": {ids["tier_id"]: 2}}),
    "GET /api/v1/channels/<uuid:channel_id>/polls": Case(READ),
    "GET /api/v1/polls/<uuid:poll_id>": Case(READ),
    "PUT /api/v1/polls/<uuid:poll_id>/ballot": Case(VOTE, lambda ids: {"choices": [ids["option_id"]]}),
    "DELETE /api/v1/polls/<uuid:poll_id>/ballot": Case(VOTE),
    "POST /api/v1/polls/<uuid:poll_id>/options": Case(VOTE, body(text="c")),
    "POST /api/v1/polls/<uuid:poll_id>/close": Case(RUN),
    "GET /api/v1/polls/<uuid:poll_id>/result": Case(READ),
    "GET /api/v1/polls/<uuid:poll_id>/ballots.csv": Case(READ, path={"poll_id": "closed_poll_id"}),
    "POST /api/v1/groups/<handle>/chains": Case(
        RUN, lambda ids: {"channel_id": ids["channel_id"], "title": "New", "premise": "…"}
    ),
    "GET /api/v1/groups/<handle>/chains": Case(READ),
    "GET /api/v1/chains/<uuid:chain_id>": Case(READ),
    "GET /api/v1/chains/<uuid:chain_id>/canon": Case(READ),
    "PUT /api/v1/chains/<uuid:chain_id>/head": Case(PRICE, lambda ids: {"episode_id": ids["branch_id"]}),
    "POST /api/v1/chains/<uuid:chain_id>/rounds": Case(RUN, body(), path={"chain_id": "resting_chain_id"}),
    "GET /api/v1/rounds/<uuid:round_id>": Case(READ),
    "POST /api/v1/rounds/<uuid:round_id>/proposals": Case(VOTE, body(**PROPOSAL)),
    "PUT /api/v1/proposals/<uuid:proposal_id>/like": Case(VOTE),
    "DELETE /api/v1/proposals/<uuid:proposal_id>/like": Case(VOTE),
    "PUT /api/v1/rounds/<uuid:round_id>/ballot": Case(
        VOTE, lambda ids: {"choices": [ids["candidate_id"]]}, path={"round_id": "voting_round_id"}
    ),
    "POST /api/v1/rounds/<uuid:round_id>/advance": Case(RUN, body()),
    "POST /api/v1/rounds/<uuid:round_id>/veto": Case(PRICE, body(reason="Not in this house.")),
    "GET /api/v1/rounds/<uuid:round_id>/result": Case(READ, path={"round_id": "decided_round_id"}),
    "POST /api/v1/polls/<uuid:poll_id>/options/<uuid:option_id>/approve": Case(RUN, path={"option_id": "waiting_id"}),
    "POST /api/v1/polls/<uuid:poll_id>/options/<uuid:option_id>/refuse": Case(RUN, path={"option_id": "waiting_id"}),
    "GET /api/v1/chains/<uuid:chain_id>/canon.epub": Case(READ),
    "GET /api/v1/chains/<uuid:chain_id>/canon.md": Case(READ),
    "GET /api/v1/chains/<uuid:chain_id>/credits": Case(READ),
    "POST /api/v1/chains/<uuid:chain_id>/season/simulate": Case(
        READ, body(revenue={"amount_minor": 1000, "currency": "USD"})
    ),
    "POST /api/v1/chains/<uuid:chain_id>/season/close": Case(PRICE, body(), shown_in="voting/test_seasons.py"),
    "PUT /api/v1/chains/<uuid:chain_id>/bookmark": Case(READ, lambda ids: {"episode_id": ids["episode_id"]}),
    "GET /chains/<uuid:chain_id>/read": Case(READ),
    "GET /chains/<uuid:chain_id>/tree": Case(READ),
    "GET /chains/<uuid:chain_id>/season": Case(READ),
    "GET /episodes/<uuid:episode_id>": Case(READ),
    "GET /rounds/<uuid:round_id>/write": Case(VOTE),
    "GET /g/<handle>/chains": Case(READ),
    "GET /chains/<uuid:chain_id>": Case(READ),
    "GET /polls/<uuid:poll_id>": Case(READ),
    "POST /api/v1/channels/<uuid:channel_id>/qa": Case(RUN, body(title="Ask me")),
    "GET /api/v1/channels/<uuid:channel_id>/qa": Case(READ),
    "GET /api/v1/qa/<uuid:qa_id>": Case(READ),
    "POST /api/v1/qa/<uuid:qa_id>/questions": Case(VOTE, body(text="Why?")),
    "POST /api/v1/qa/<uuid:qa_id>/close": Case(RUN),
    "PUT /api/v1/questions/<uuid:question_id>/upvote": Case(VOTE),
    "DELETE /api/v1/questions/<uuid:question_id>/upvote": Case(VOTE),
    "POST /api/v1/questions/<uuid:question_id>/approve": Case(RUN),
    "POST /api/v1/questions/<uuid:question_id>/live": Case(RUN),
    "POST /api/v1/questions/<uuid:question_id>/pin": Case(RUN),
    "DELETE /api/v1/questions/<uuid:question_id>/pin": Case(RUN),
    "POST /api/v1/questions/<uuid:question_id>/answer": Case(RUN, body(text="Because.")),
    "POST /api/v1/questions/<uuid:question_id>/skip": Case(RUN),
    "DELETE /api/v1/questions/<uuid:question_id>": Case("take a question back"),
    "GET /api/v1/groups/<handle>/questions": Case(READ, query="q=why"),
    "GET /g/<handle>/qa": Case(READ),
    "GET /qa/<uuid:qa_id>": Case(READ),
    "GET /qa/<uuid:qa_id>/present": Case(RUN),
    # money
    "POST /api/v1/finance/adjustments": Case(ADJUST, lambda ids: {"entry_id": ids["entry_id"], "reason": "wrong"}),
    "GET /api/v1/finance/adjustments": Case(FINANCE),
    "POST /api/v1/finance/adjustments/<uuid:adjustment_id>/approve": Case(ADJUST, body()),
    "POST /api/v1/finance/adjustments/<uuid:adjustment_id>/withdraw": Case(ADJUST, body()),
    "GET /api/v1/finance/balances": Case(FINANCE),
    "POST /api/v1/finance/payout-runs": Case(PAYOUTS, body(currency="USD")),
    "GET /api/v1/finance/payout-runs": Case(FINANCE),
    "POST /api/v1/finance/payout-runs/<uuid:run_id>/approve": Case(PAYOUTS, body()),
    "POST /api/v1/finance/payout-runs/<uuid:run_id>/executed": Case(
        PAYOUTS, body(), shown_in="money/test_export_kinds.py"
    ),
    "GET /api/v1/finance/quarantine": Case(FINANCE),
    "POST /api/v1/finance/quarantine/<uuid:stuck_id>/retry": Case(PAYOUTS, body()),
    "GET /api/v1/finance/payouts": Case(FINANCE),
    "GET /api/v1/finance/entries": Case(FINANCE),
    "GET /api/v1/finance/periods": Case(FINANCE),
    "POST /api/v1/finance/periods/<month>/close": Case(PAYOUTS, body()),
    "POST /api/v1/finance/exports": Case(FINANCE, body(kind="ledger", **PERIOD)),
    "GET /api/v1/finance/exports": Case(FINANCE),
    "GET /api/v1/finance/exports/<uuid:export_id>": Case(FINANCE),
    "GET /api/v1/finance/exports/<uuid:export_id>/file": Case(FINANCE, shown_in="money/test_exports.py"),
    "GET /finance": Case(FINANCE),
    "GET /g/<handle>/payouts": Case(EARNINGS),
    "POST /api/v1/groups/<handle>/payout-account": Case(ACCOUNT, body()),
    "GET /api/v1/groups/<handle>/payout-account": Case(EARNINGS),
    "PUT /api/v1/groups/<handle>/payout-account/bank": Case(
        ACCOUNT, body(holder="Mei", iban="DE89370400440532013000", password="correct-horse-battery")
    ),
    "POST /api/v1/tiers/<uuid:tier_id>/checkout": Case(JOIN, body()),
    "GET /api/v1/me/checkouts/<session_id>": Case(BILLING, path={"session_id": "checkout_session"}, private=True),
    "GET /api/v1/me/subscriptions": Case(WITHDRAW),
    "POST /api/v1/subscriptions/<uuid:subscription_id>/cancel": Case(WITHDRAW, body(), private=True),
    "POST /api/v1/subscriptions/<uuid:subscription_id>/resume": Case(BILLING, body(), private=True),
    "POST /api/v1/subscriptions/<uuid:subscription_id>/preview": Case(
        MOVE, lambda ids: {"tier_id": ids["gold_id"]}, private=True, shown_in="money/test_plan_changes.py"
    ),
    "POST /api/v1/subscriptions/<uuid:subscription_id>/change": Case(
        MOVE, lambda ids: {"tier_id": ids["gold_id"]}, private=True, shown_in="money/test_plan_changes.py"
    ),
    "POST /api/v1/subscriptions/<uuid:subscription_id>/pause": Case(
        BILLING, body(), private=True, shown_in="money/test_plan_changes.py"
    ),
    "GET /billing/change/<uuid:subscription_id>": Case(BILLING, private=True),
    "GET /api/v1/me/payments": Case(BILLING),
    "GET /api/v1/groups/<handle>/payments": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/disputes": Case(EARNINGS),
    "POST /api/v1/payments/<uuid:payment_id>/refunds": Case(REFUND, body(reason="asked for"), private=True),
    "POST /api/v1/webhooks/stripe": Case(HOOKS, shown_in="money/test_inbox.py"),
    "POST /api/v1/webhooks/stripe-connect": Case(HOOKS, shown_in="money/test_inbox.py"),
    "GET /billing": Case(BILLING),
    "GET /billing/return": Case(BILLING, query="session_id={checkout_session}", private=True),
    # promises
    "POST /api/v1/groups/<handle>/promises": Case(
        PRICE, body(kind="messages", count=2, every="week", remedy="days", remedy_value=3)
    ),
    "GET /api/v1/groups/<handle>/promises": Case(PUBLIC),
    "GET /api/v1/promises/<uuid:promise_id>/periods": Case(PUBLIC),
    "POST /api/v1/promises/<uuid:promise_id>/periods/<int:n>/excuse": Case(PRICE, body(reason="I am ill.")),
    "GET /api/v1/groups/<handle>/reliability": Case(PUBLIC),
    "GET /g/<handle>/promises": Case(PUBLIC),
    # insights
    "GET /api/v1/groups/<handle>/insights/engagement": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/forecast": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/lift": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/survival": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/voting": Case(EARNINGS),
    "POST /api/v1/groups/<handle>/holdouts": Case(
        PRICE, body(campaign="back", audience="people", handles=["fn-person", "su-person"])
    ),
    "GET /api/v1/groups/<handle>/insights/overview": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/revenue": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/cohorts": Case(EARNINGS),
    "GET /api/v1/groups/<handle>/insights/churn": Case(EARNINGS),
    "GET /g/<handle>/dashboard": Case(EARNINGS),
    # the shell
    "GET /": Case(PUBLIC),
    "GET /api/v1/openapi.json": Case(PUBLIC),
    "GET /api/docs": Case(PUBLIC),
}

EVENTS: dict[str, Case] = {
    "channel.join": Case(READ, lambda ids: {"channel_id": ids["channel_id"]}),
    "channel.leave": Case(READ, lambda ids: {"channel_id": ids["channel_id"]}),
    "typing": Case(POST, lambda ids: {"channel_id": ids["channel_id"]}),
    "message.send": Case(POST, lambda ids: {"channel_id": ids["channel_id"], "client_msg_id": fresh(), "text": "hi"}),
    "message.edit": Case(EDIT, lambda ids: {"id": ids["message_id"], "text": "better"}),
    "message.delete": Case(DELETE, lambda ids: {"id": ids["message_id"]}),
    "reaction.set": Case(POST, lambda ids: {"message_id": ids["message_id"], "emoji": "👍"}),
    "reaction.unset": Case(POST, lambda ids: {"message_id": ids["message_id"], "emoji": "👍"}),
    "channel.read": Case(READ, lambda ids: {"channel_id": ids["channel_id"], "seq": 1}),
}
