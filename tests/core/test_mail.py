"""Mails hold links that open accounts: they go to the server that was meant, over TLS, or not at all."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from creator_hub.core import mail
from creator_hub.core.errors import Unavailable
from creator_hub.embedded.engine import free_port

Serve = Callable[..., str]


class Mailbox(Sink):
    """Keeps what it is given, and says of each whether it came over TLS."""

    def __init__(self) -> None:
        self.kept: list[tuple[bool, str]] = []
        self.logins: list[str] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.kept.append((session.ssl is not None, bytes(envelope.content or b"").decode()))
        return self.answer

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        self.logins.append(str(data))
        return AuthResult(success=True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "mail.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def serve(mailbox: Mailbox, certificate: Path) -> Iterator[Serve]:
    """Start the mail server; answers its address as a MAIL_URL wants it."""
    running: list[Controller] = []

    def start(*, tls: bool, user: str = "") -> str:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        port = free_port()
        server = Controller(
            mailbox,
            hostname="127.0.0.1",
            port=port,
            tls_context=context if tls else None,
            authenticator=mailbox.login,
            auth_required=bool(user) and tls,
        )
        server.start()
        running.append(server)
        return f"smtp://{user}127.0.0.1:{port}"

    yield start
    for server in running:
        server.stop()


def send(url: str) -> None:
    mail.send_now(url, to="ana@example.test", subject="Reset", text="https://hub/reset-password/secret-link")


def test_a_server_with_a_certificate_nobody_signed_gets_neither_password_nor_mail(
    serve: Serve, mailbox: Mailbox
) -> None:
    url = serve(tls=True, user="hub:letmein@")
    with pytest.raises(ssl.SSLCertVerificationError):
        send(url)
    assert (mailbox.kept, mailbox.logins) == ([], [])


def test_a_server_that_offers_no_tls_does_not_get_the_password(serve: Serve, mailbox: Mailbox) -> None:
    url = serve(tls=False, user="hub:letmein@")
    with pytest.raises(smtplib.SMTPNotSupportedError):
        send(url)
    assert (mailbox.kept, mailbox.logins) == ([], [])


def test_a_server_with_a_valid_certificate_gets_the_mail_over_tls(
    serve: Serve, mailbox: Mailbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    send(serve(tls=True, user="hub:letmein@"))
    ((encrypted, text),) = mailbox.kept
    assert encrypted
    assert "secret-link" in text
    assert len(mailbox.logins) == 1


def test_a_relay_on_this_machine_needs_no_tls(serve: Serve, mailbox: Mailbox) -> None:
    send(serve(tls=False))
    assert [encrypted for encrypted, _ in mailbox.kept] == [False]


def test_a_server_that_is_away_or_busy_is_worth_waiting_for(serve: Serve, mailbox: Mailbox) -> None:
    with pytest.raises(Unavailable):
        send(f"smtp://127.0.0.1:{free_port()}")
    mailbox.answer = "451 greylisted, come back"
    url = serve(tls=False)
    with pytest.raises(Unavailable):
        send(url)
    mailbox.answer = "554 never"
    with pytest.raises(smtplib.SMTPDataError):
        send(url)


def test_nobody_writes_a_header_through_a_subject_or_an_address() -> None:
    for to, subject in (("a@b.test\nBcc: c@d.test", "x"), ("a@b.test", "x\r\nBcc: c@d.test")):
        with pytest.raises(ValueError, match="Header values"):
            mail.send_now("smtp://127.0.0.1:1", to=to, subject=subject, text="x")
