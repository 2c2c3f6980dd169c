"""Who may do what: the one table.

A *principal* is what somebody is with respect to one thing: a stranger, a member of a lower tier, its owner. A person
is often several at once. A *permission* is allowed to a set of principals. Doors work out the principals of an actor
for the object they load and call `require`; platform-wide permissions are decided from the actor alone, at the edge.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from creator_hub.core.errors import NotAllowed, NotFound, SignInRequired


class Principal(StrEnum):
    """The fourteen kinds of people (and one machine) the table speaks of."""

    ANONYMOUS = "An"
    SIGNED_IN = "Fn"
    LOWER_TIER = "Fl"
    MEMBER = "Fm"
    LAPSED = "Fx"
    BANNED = "Fb"
    MODERATOR = "Mo"
    OWNER = "Cr"
    OTHER_CREATOR = "Co"
    SUPPORT = "Su"
    TRUST = "Ts"
    FINANCE = "Fi"
    ADMIN = "Ad"
    SUSPENDED = "Sx"
    SELF = "self"
    SYSTEM = "system"


P = Principal
ROLE_PRINCIPALS = {"support": P.SUPPORT, "trust": P.TRUST, "finance": P.FINANCE, "admin": P.ADMIN}
EVERYBODY = frozenset(P) - {P.SUSPENDED, P.SYSTEM}
PEOPLE = EVERYBODY - {P.ANONYMOUS}
INSIDE = frozenset({P.MEMBER, P.MODERATOR, P.OWNER})
STAFF_OF_GROUP = frozenset({P.MODERATOR, P.OWNER})


class Permission(StrEnum):
    """Actions, each allowed to the principals of `ALLOWED`. Names end where the table of trust ends."""

    SEE_PUBLIC = "see_public"  # public profiles, tier prices, groups that are not hidden
    SIGN_UP = "sign_up"
    SESSION = "session"  # sign in, see and end one's own session
    USE_ACCOUNT = "use_account"  # own profile, sessions, devices, tokens
    READ_CHANNEL = "read_channel"  # read, search, live, media, reactions, by tier
    LIST_MEMBERS = "list_members"
    POST = "post"  # post, react, upload
    EDIT_OWN = "edit_own"
    DELETE_MESSAGE = "delete_message"
    VOTE = "vote"  # vote, propose an episode, like, ask
    RUN_VOTES = "run_votes"  # create and close polls, chains, rounds, Q&A
    MODERATE = "moderate"  # ban, mute
    MAKE_MODERATOR = "make_moderator"
    INVITE = "invite"
    JOIN = "join"  # join free, redeem a passcode, subscribe
    LEAVE = "leave"
    CREATE_GROUP = "create_group"
    MANAGE_GROUP = "manage_group"  # price, tier, channel, coupon, promise
    OWN_BILLING = "own_billing"
    WITHDRAW = "withdraw"  # see one's subscriptions and end them
    ISSUE_REFUND = "issue_refund"
    SEE_EARNINGS = "see_earnings"  # insights, payments, payouts of the own group
    CHANGE_PAYOUT_ACCOUNT = "change_payout_account"
    OPERATE_PAYOUTS = "operate_payouts"  # open and approve payout runs; requester ≠ approver
    SEE_FINANCE = "see_finance"
    EXPORT_FINANCE = "export_finance"
    MANAGE_ROLES = "manage_roles"
    RECEIVE_WEBHOOK = "receive_webhook"  # anybody may knock; the signature is the permission
    WORK = "work"  # background jobs and the command line
    OPERATE = "operate"  # health, metrics


ALLOWED: Mapping[Permission, frozenset[Principal]] = {
    Permission.SEE_PUBLIC: EVERYBODY,
    Permission.SIGN_UP: EVERYBODY,
    Permission.SESSION: EVERYBODY | {P.SUSPENDED},
    Permission.USE_ACCOUNT: PEOPLE,
    Permission.READ_CHANNEL: INSIDE | {P.TRUST},
    Permission.LIST_MEMBERS: INSIDE | {P.TRUST},
    Permission.POST: INSIDE,
    Permission.EDIT_OWN: INSIDE,
    Permission.DELETE_MESSAGE: STAFF_OF_GROUP | {P.SELF, P.TRUST},
    Permission.VOTE: INSIDE,
    Permission.RUN_VOTES: STAFF_OF_GROUP,
    Permission.MODERATE: STAFF_OF_GROUP | {P.TRUST},
    Permission.MAKE_MODERATOR: frozenset({P.OWNER}),
    Permission.INVITE: STAFF_OF_GROUP,
    Permission.JOIN: frozenset({P.SIGNED_IN}),  # the banned are no longer that here, whatever duty they have
    Permission.LEAVE: frozenset({P.LOWER_TIER, P.MEMBER, P.MODERATOR}),
    Permission.CREATE_GROUP: PEOPLE,
    Permission.MANAGE_GROUP: frozenset({P.OWNER}),
    Permission.OWN_BILLING: PEOPLE,
    Permission.WITHDRAW: PEOPLE | {P.SUSPENDED},
    Permission.ISSUE_REFUND: frozenset({P.OWNER, P.FINANCE}),
    Permission.SEE_EARNINGS: frozenset({P.OWNER, P.FINANCE}),
    Permission.CHANGE_PAYOUT_ACCOUNT: frozenset({P.OWNER}),
    Permission.OPERATE_PAYOUTS: frozenset({P.FINANCE}),
    Permission.SEE_FINANCE: frozenset({P.FINANCE}),
    Permission.EXPORT_FINANCE: frozenset({P.FINANCE}),
    Permission.MANAGE_ROLES: frozenset({P.ADMIN}),
    Permission.RECEIVE_WEBHOOK: EVERYBODY,
    Permission.WORK: frozenset({P.SYSTEM}),
    Permission.OPERATE: EVERYBODY,
}

# What the edge can decide from the actor alone. Everything else is decided by a door, which knows the object.
PLATFORM_WIDE = frozenset(
    {
        Permission.SEE_PUBLIC,
        Permission.SIGN_UP,
        Permission.SESSION,
        Permission.USE_ACCOUNT,
        Permission.CREATE_GROUP,
        Permission.OWN_BILLING,
        Permission.WITHDRAW,
        Permission.OPERATE_PAYOUTS,
        Permission.SEE_FINANCE,
        Permission.EXPORT_FINANCE,
        Permission.MANAGE_ROLES,
        Permission.RECEIVE_WEBHOOK,
        Permission.WORK,
        Permission.OPERATE,
    }
)
# Strangers to these get "not found", the same answer as for what does not exist.
STRANGER = frozenset(
    {
        P.ANONYMOUS,
        P.SIGNED_IN,
        P.LAPSED,
        P.BANNED,
        P.OTHER_CREATOR,
        P.SUPPORT,
        P.FINANCE,
        P.ADMIN,
        P.SUSPENDED,
    }
)


@dataclass(slots=True)
class Actor:
    """Who acts, as the edge found out. `proved` collects the permissions that were checked on the way.

    The edge refuses to commit when a route's declared permission was never checked: an object loaded without its door
    is a bug that must not reach the disk. `proved_at` is when they last
    showed their password in this session. `request_key` names the request when it brought an Idempotency-Key: whoever
    talks to a peer writes it on the row it makes, and finds that row again when the request comes back after a crash.
    """

    user_id: uuid.UUID | None = None
    roles: frozenset[str] = frozenset()
    session_id: uuid.UUID | None = None
    token_id: uuid.UUID | None = None
    proved_at: datetime | None = None
    suspended: bool = False
    is_system: bool = False
    request_key: str | None = None
    proved: set[Permission] = field(default_factory=set)

    def principals(self) -> frozenset[Principal]:
        """What this actor is before any object is looked at."""
        if self.is_system:
            return frozenset({P.SYSTEM})
        if self.user_id is None:
            return frozenset({P.ANONYMOUS})
        if self.suspended:
            return frozenset({P.SUSPENDED})
        return frozenset({P.SIGNED_IN, *(ROLE_PRINCIPALS[role] for role in self.roles if role in ROLE_PRINCIPALS)})

    def person(self) -> uuid.UUID:
        """The signed-in person's id; raises SignInRequired for everybody else."""
        if self.user_id is None:
            raise SignInRequired
        return self.user_id


def system() -> Actor:
    """The actor of background jobs and the command line."""
    return Actor(is_system=True)


def allows(permission: Permission, principals: Iterable[Principal]) -> bool:
    return not ALLOWED[permission].isdisjoint(principals)


def require(actor: Actor, permission: Permission, principals: Iterable[Principal], *, hidden: bool = False) -> None:
    """Pass, or raise: SignInRequired for the anonymous, NotFound when `hidden` from this actor, else NotAllowed."""
    actor.proved.add(permission)
    if allows(permission, principals):
        return
    if hidden:
        raise NotFound
    if actor.user_id is None and not actor.is_system:
        raise SignInRequired
    if actor.suspended:
        raise NotAllowed("This account is suspended. You can still end your subscriptions and sign out.")
    raise NotAllowed


def require_platform(actor: Actor, permission: Permission) -> None:
    """Check a platform-wide permission from the actor alone."""
    require(actor, permission, actor.principals())
