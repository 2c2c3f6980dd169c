"""`flask --app wsgi …`: what an operator types. Each command opens one unit of work and calls the same verbs."""

from __future__ import annotations

import urllib.request
import uuid
from datetime import UTC, datetime, timedelta

import click
import orjson
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts import service
from creator_hub.accounts.doors import user_by_handle
from creator_hub.accounts.models import STAFF_ROLES
from creator_hub.core import clock, outbox
from creator_hub.core.access import Actor, Permission, require_platform
from creator_hub.core.db import unit_of_work
from creator_hub.core.money import Money
from creator_hub.core.schemas import rfc3339
from creator_hub.demo import seed
from creator_hub.groups.models import Group
from creator_hub.insights.service import rebuild
from creator_hub.money import export_files, exports, inbox, ledger, payouts, reconciliation
from creator_hub.money.export_models import EXPORT_KINDS

SANDBOX_PATIENCE_S = 60

users = AppGroup("users", help="People.")
retention = AppGroup("retention", help="Membership facts.")
demo = AppGroup("demo", help="The demo world (development only).")
clock_group = AppGroup("clock", help="Development time.")
ledger_group = AppGroup("ledger", help="The double-entry ledger.")
stripe_group = AppGroup("stripe", help="What Stripe told us.")
jobs_group = AppGroup("jobs", help="Work that gave up.")
payouts_group = AppGroup("payouts", help="Payout runs; two people of finance make one.")


def install(app: Flask) -> None:
    for group in (users, retention, demo, clock_group, ledger_group, stripe_group, jobs_group, payouts_group):
        app.cli.add_command(group)
    app.cli.add_command(export_file)


@users.command("create")
@click.option("--email", required=True)
@click.option("--handle", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", multiple=True, type=click.Choice(STAFF_ROLES))
@click.password_option()
def create_user(email: str, handle: str, name: str, roles: tuple[str, ...], password: str) -> None:
    """Create an account, with platform roles if given."""
    with unit_of_work() as session:
        user = service.sign_up(session, email=email, password=password, handle=handle, display_name=name, roles=roles)
    click.echo(f"created {user.handle} {user.id}")


@retention.command("rebuild")
@click.option("--group", "handle", help="Only the group of this handle.")
def rebuild_facts(handle: str | None) -> None:
    """Make the daily membership facts again from memberships, payments and bans; one group at a time."""
    with unit_of_work() as session:
        query = select(Group.id).order_by(Group.id)
        groups = session.scalars(query.where(Group.handle == handle) if handle else query).all()
    for group_id in groups:
        with unit_of_work() as session:
            rebuild(session, group_id)
    click.echo(f"groups rebuilt: {len(groups)}")


@demo.command("seed")
def seed_demo() -> None:
    """Make the demo people and Mei's group; running it again changes nothing."""
    _development_only()
    with unit_of_work() as session:
        made = seed(session)
    click.echo("demo world is ready" if made else "the demo world was there already")


@clock_group.command("advance")
@click.argument("days", type=int)
def advance_clock(days: int) -> None:
    """Let days pass for every process and, when Stripe is the sandbox, for Stripe: renewals, retries, payouts."""
    _development_only()
    with unit_of_work() as session:
        at = clock.advance(session, timedelta(days=days))
    if settings.current().uses_sandbox:
        _advance_sandbox(timedelta(days=days))
    click.echo(f"it is now {rfc3339(at)}")


@ledger_group.command("check")
def check_ledger() -> None:
    """Say what is wrong with the ledger, alone and beside Stripe's account of the money; fails when anything is."""
    reconciliation.sync()
    with unit_of_work() as session:
        problems = ledger.check(session)
        off = reconciliation.differences(session)
        explained = reconciliation.explain(session) if off else []
    problems += [f"Stripe has {Money(off[code], code)} more than the ledger" for code in off] + explained
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
    click.echo("the ledger is clean")


@stripe_group.command("replay")
@click.argument("event_ids", nargs=-1)
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC) of Stripe's events.")
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]), help="The day after the last.")
def replay_events(event_ids: tuple[str, ...], since: datetime | None, until: datetime | None) -> None:
    """Do the work of stored events again, named or of a range; what is done already stays as it is."""
    with unit_of_work() as session:
        wanted = list(event_ids)
        if since is not None and until is not None:
            wanted += inbox.stored_between(session, since.replace(tzinfo=UTC), until.replace(tzinfo=UTC))
        if not wanted:
            raise click.UsageError("Name events, or give --from and --to.")
        for event_id in wanted:
            inbox.replay(session, event_id)
    click.echo(f"asked for {len(wanted)} again")


@jobs_group.command("stuck")
def stuck_jobs() -> None:
    """List what was tried three times in vain and waits for a person; fails when there is some."""
    with unit_of_work() as session:
        rows = outbox.stuck(session)
    for row in rows:
        click.echo(f"{row.id} {row.topic} since {rfc3339(row.quarantined_at or row.recorded_at)}: {row.error}")
    if rows:
        raise click.exceptions.Exit(1)
    click.echo("nothing is stuck")


@jobs_group.command("retry")
@click.argument("message_ids", nargs=-1, required=True, type=click.UUID)
def retry_jobs(message_ids: tuple[uuid.UUID, ...]) -> None:
    """Let these have their three tries again."""
    with unit_of_work() as session:
        for message_id in message_ids:
            outbox.retry(session, message_id)
    click.echo(f"asked for {len(message_ids)} again")


@payouts_group.command("run")
@click.option("--currency", required=True)
@click.option("--by", "handle", required=True, help="Handle of the person of finance who opens it.")
def open_payout_run(currency: str, handle: str) -> None:
    """Open a payout run; somebody else approves it."""
    with unit_of_work() as session:
        run = payouts.open_run(session, _finance(session, handle), currency=currency)
        lines = [
            f"{Money(row.amount_minor, row.currency)} {row.creator_id}" for row in payouts.payouts_of(session, run)
        ]
    click.echo("\n".join([f"opened {run.id}", *lines]))


@payouts_group.command("approve")
@click.argument("run_id", type=click.UUID)
@click.option("--by", "handle", required=True, help="Handle of the person of finance who approves it.")
def approve_payout_run(run_id: uuid.UUID, handle: str) -> None:
    """Approve a run that somebody else opened; the transfers are sent at once."""
    with unit_of_work() as session:
        payouts.approve(session, _finance(session, handle), run_id)
    click.echo(f"approved {run_id}")


@click.command("export")
@click.argument("kind", type=click.Choice(EXPORT_KINDS))
@click.option("--format", "format", default="csv", show_default=True, help="For instance xlsx, pdf, beancount.")
@click.option("--creator", "creator", help="Handle of the creator whose file it is to be.")
@click.option("--from", "period_from", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC).")
@click.option("--to", "period_to", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The day after the last.")
@click.option("--currency", help="Needed when the ledger has several.")
@click.option("--by", "handle", required=True, help="Handle of the person of finance who asks.")
@with_appcontext
def export_file(
    kind: str,
    format: str,
    creator: str | None,
    period_from: datetime,
    period_to: datetime,
    currency: str | None,
    handle: str,
) -> None:
    """Make a file for finance and say where it is; fails when it disagrees with the ledger."""
    with unit_of_work() as session:
        asked = exports.ask(
            session,
            _finance(session, handle, Permission.EXPORT_FINANCE),
            kind=kind,
            format=format,
            period_from=period_from.replace(tzinfo=UTC),
            period_to=period_to.replace(tzinfo=UTC),
            currency=currency,
            creator_id=user_by_handle(session, creator).id if creator else None,
        )
    exports.make(asked.id)
    with unit_of_work() as session:
        made = exports.by_id(session, asked.id)
    if made.state != "ready":
        raise click.ClickException(made.error or f"{made.state}: file and ledger differ by {made.difference}")
    click.echo(f"{export_files.file_of(made)} {made.sha256}")


def _finance(session: Session, handle: str, permission: Permission = Permission.OPERATE_PAYOUTS) -> Actor:
    user = user_by_handle(session, handle)
    actor = Actor(user_id=user.id, roles=frozenset(user.roles), suspended=user.suspended_at is not None)
    require_platform(actor, permission)
    return actor


def _advance_sandbox(by: timedelta) -> None:
    """The sandbox keeps an offset of its own; moved after ours, so that what it sends is never from the future."""
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
        f"{settings.current().stripe_api_base}/_control/advance",
        data=orjson.dumps({"seconds": int(by.total_seconds())}),
        headers={"Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request, timeout=SANDBOX_PATIENCE_S).close()  # noqa: S310
    except OSError as error:
        raise click.ClickException(f"the hub's clock moved, the Stripe sandbox's did not: {error}") from None


def _development_only() -> None:
    if settings.current().is_production:
        raise click.ClickException("this is for development only")
