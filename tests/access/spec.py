"""The table of trust, in its own words: who may do what. The product's table is compared with this one, and the matrix
is generated from it, so that a wrong line in the product cannot make its own test pass.

`!` in the words means: a reason given, audited, time-limited; such a person is named with the `!`.
"""

from __future__ import annotations

from dataclasses import dataclass

from creator_hub.core.access import Permission, Principal

P = Principal
EVERYBODY = frozenset(["An", "Fn", "Fl", "Fm", "Fx", "Fb", "Mo", "Cr", "Co", "Su", "Ts", "Fi", "Ad", "self"])
SIGNED_IN = EVERYBODY - {"An"}


@dataclass(frozen=True)
class Row:
    """One line of the table: the words, whom they name, and the permissions that stand for it in the product."""

    words: str
    allowed: frozenset[str]
    permissions: tuple[Permission, ...]


def row(words: str, allowed: str | frozenset[str], *permissions: Permission) -> Row:
    return Row(words, frozenset(allowed.split()) if isinstance(allowed, str) else allowed, permissions)


TRUST: dict[str, Row] = {
    "public profile, tier prices, kept %": row("all but Sx", EVERYBODY, Permission.SEE_PUBLIC),
    "existence of a hidden group, member list": row("Fm Mo Cr Ts!", "Fm Mo Cr Ts", Permission.LIST_MEMBERS),
    "read, search, live, media, reactions, by tier": row("Fm Mo Cr Ts!", "Fm Mo Cr Ts", Permission.READ_CHANNEL),
    "post, react, upload": row("Fm Mo Cr", "Fm Mo Cr", Permission.POST),
    "edit own": row("author while Fm/Mo/Cr, within the window", "Fm Mo Cr", Permission.EDIT_OWN),
    "delete a message": row("author Mo Cr Ts!", "self Mo Cr Ts", Permission.DELETE_MESSAGE),
    "vote, propose an episode, ask": row("Fm Mo Cr, by the poll's own rule", "Fm Mo Cr", Permission.VOTE),
    "create, close polls, chains, Q&A": row("Mo Cr", "Mo Cr", Permission.RUN_VOTES),
    "ban, mute": row("Mo (not Mo or Cr) Cr Ts!", "Mo Cr Ts", Permission.MODERATE),
    "make a moderator": row("Cr, never self", "Cr", Permission.MAKE_MODERATOR),
    "make, revoke an invite": row("Cr, delegated Mo; role ≤ issuer's", "Mo Cr", Permission.INVITE),
    "price, tier, coupon, promise": row("Cr", "Cr", Permission.MANAGE_GROUP),
    "own billing, refund request": row("the payer (Fx Fb too)", SIGNED_IN, Permission.OWN_BILLING),
    "appeal, report, withdraw": row("whoever is affected, Sx too", SIGNED_IN | {"Sx"}, Permission.WITHDRAW),
    "issue a refund": row("Cr (own, to a limit) Fi!", "Cr Fi", Permission.ISSUE_REFUND),
    "earnings": row("Cr own, Fi", "Cr Fi", Permission.SEE_EARNINGS),
    "change payout account": row("Cr + re-authentication + hold; never Su Ad", "Cr", Permission.CHANGE_PAYOUT_ACCOUNT),
    "approve a payout run": row("Fi; requester ≠ approver", "Fi", Permission.OPERATE_PAYOUTS),
    "adjust the ledger": row("Fi, two people, reversing entries only", "Fi", Permission.OPERATE_PAYOUTS),
    "finance export": row("Fi; Cr own", "Fi", Permission.EXPORT_FINANCE, Permission.SEE_FINANCE),
    "roles and settings": row("Ad; no money, no private content", "Ad", Permission.MANAGE_ROLES),
    "webhooks": row("a valid signature only", EVERYBODY, Permission.RECEIVE_WEBHOOK),
    "jobs": row("rights re-checked when they run", "system", Permission.WORK),
}
# What the table of trust does not speak of: everybody's own account, and coming and going.
HOUSE: dict[str, Row] = {
    "come in": row("all but Sx", EVERYBODY, Permission.SIGN_UP),
    "session": row("everybody, Sx too", EVERYBODY | {"Sx"}, Permission.SESSION),
    "probes": row("all but Sx", EVERYBODY, Permission.OPERATE),
    "own account": row("whoever is signed in", SIGNED_IN, Permission.USE_ACCOUNT),
    "open a group": row("whoever is signed in", SIGNED_IN, Permission.CREATE_GROUP),
    "join": row("whoever is signed in, but Fb", "Fn", Permission.JOIN),
    "leave": row("whoever belongs here, but Cr", "Fl Fm Mo", Permission.LEAVE),
}
# Narrower than the permission that the route declares: the verb itself looks closer.
NARROWER: dict[str, Row] = {
    "sign out": row("whoever is signed in, Sx too", SIGNED_IN | {"Sx"}, Permission.SESSION),
    "move to another tier": row("the payer, but Fb", SIGNED_IN - {"Fb"}, Permission.OWN_BILLING),
    "take a question back": row("who asked it, Mo Cr", "self Mo Cr", Permission.VOTE),
}
ROWS = TRUST | HOUSE | NARROWER
# Lines of the table that say "nobody": nothing in the house may stand for them.
NOBODY = ("secret ballots, by person or before the close", "impersonate")
