"""Outgoing mail: recorded in the outbox with the state that causes it, sent by a worker.

`MAIL_URL` is `file:///path` (one .eml per message, for development and tests) or `smtp://user:password@host:port`.
"""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from creator_hub.core import clock, db, outbox
from creator_hub.core.ids import new_id

TOPIC = "mail.send"
SENDER = "Creator Hub <hub@localhost>"
SMTP_TIMEOUT_S = 10


def send_later(session: Session, *, to: str, subject: str, text: str) -> None:
    """Have a worker send this once the transaction is on disk."""
    outbox.record(session, TOPIC, {"to": to, "subject": subject, "text": text})


def send_now(mail_url: str, *, to: str, subject: str, text: str) -> None:
    """Hand one message over; raises OSError or smtplib.SMTPException when the server will not take it."""
    db.forbid_transaction()
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message["Date"] = format_datetime(clock.now())
    message.set_content(text)
    url = urlsplit(mail_url)
    if url.scheme == "file":
        folder = Path(unquote(url.path))
        folder.mkdir(parents=True, exist_ok=True)
        half_written = folder / f".{new_id()}.part"
        half_written.write_bytes(bytes(message))
        half_written.rename(folder / f"{new_id()}.eml")  # whoever reads the folder never meets half a message
        return
    with smtplib.SMTP(url.hostname or "localhost", url.port or 25, timeout=SMTP_TIMEOUT_S) as server:
        if url.username:
            server.starttls()
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
