"""Mail that a transaction asked for."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy.orm import Session

from creator_hub import settings
from creator_hub.accounts import email_change, service
from creator_hub.accounts.models import User
from creator_hub.core import mail
from creator_hub.core.edge import job


@job(mail.TOPIC, transaction=False)
def send(payload: dict[str, Any]) -> None:
    mail.send_now(settings.current().mail_url, **payload)


@job(service.RESET_TOPIC)
def mail_reset_link(session: Session, payload: dict[str, Any]) -> None:
    service.mail_reset_link(session, payload["email"], settings.current().public_url)


@job(email_change.TOPIC)
def mail_email_change(session: Session, payload: dict[str, Any]) -> None:
    user = session.get_one(User, uuid.UUID(payload["user_id"]))
    email_change.mail_link(session, user, payload["email"], settings.current().public_url)
