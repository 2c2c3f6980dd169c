"""`flask --app wsgi …`: what an operator types. Each command opens one unit of work and calls the same verbs."""

from __future__ import annotations

from datetime import timedelta

import click
from flask import Flask
from flask.cli import AppGroup

from creator_hub import settings
from creator_hub.accounts import service
from creator_hub.accounts.models import STAFF_ROLES
from creator_hub.core import clock
from creator_hub.core.db import unit_of_work
from creator_hub.core.schemas import rfc3339
from creator_hub.demo import seed

users = AppGroup("users", help="People.")
demo = AppGroup("demo", help="The demo world (development only).")
clock_group = AppGroup("clock", help="Development time.")


def install(app: Flask) -> None:
    for group in (users, demo, clock_group):
        app.cli.add_command(group)


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
    """Let days pass for every process."""
    _development_only()
    with unit_of_work() as session:
        at = clock.advance(session, timedelta(days=days))
    click.echo(f"it is now {rfc3339(at)}")


def _development_only() -> None:
    if settings.current().is_production:
        raise click.ClickException("this is for development only")
