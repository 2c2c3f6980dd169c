"""Outgoing mail: recorded in the outbox with the state that causes it, sent by a worker.

`MAIL_URL` is `file:///path` (one .eml per message, for development and tests), `smtp://user:password@host:port` or
`smtps://…` (TLS from the first byte). Mails hold links that open accounts: over `smtp` STARTTLS is a must, and the
server must show a valid certificate for its name. Only a relay on this very machine that wants no password is spoken to
plainly.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy.orm import Session

from creator_hub.core import clock, db, outbox
from creator_hub.core.errors import Unavailable
from creator_hub.core.ids import new_id

TOPIC = "mail.send"
SENDER = "Creator Hub <hub@localhost>"
SMTP_TIMEOUT_S = 10


def send_later(session: Session, *, to: str, subject: str, text: str) -> None:
    """Have a worker send this once the transaction is on disk."""
    outbox.record(session, TOPIC, {"to": to, "subject": subject, "text": text})


def send_now(mail_url: str, *, to: str, subject: str, text: str) -> None:
    """Hand one message over; raises Unavailable when the server is away or busy, and smtplib.SMTPException or
    ssl.SSLError when it will not take it, or is not the one it should be."""
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
    try:
        with _connection(url) as server:
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(message)
    except (smtplib.SMTPServerDisconnected, ConnectionError, TimeoutError) as error:
        raise Unavailable from error
    except smtplib.SMTPResponseException as error:
        if 400 <= error.smtp_code < 500:  # RFC 5321: not now
            raise Unavailable from error
        raise


def _connection(url: SplitResult) -> smtplib.SMTP:
    host, context = url.hostname or "localhost", ssl.create_default_context()
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, url.port or 465, timeout=SMTP_TIMEOUT_S, context=context)
    server = smtplib.SMTP(host, url.port or 25, timeout=SMTP_TIMEOUT_S)
    if url.username or not _is_this_machine(host):
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
