"""What every answer tells the browser, who is believed about an address, and who may measure."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from creator_hub.app import create_app
from creator_hub.settings import Settings
from creator_hub.web.shell import asset
from tests.support.client import API, Browser

Open = Callable[[], Browser]
Configured = Callable[..., Flask]
HTTPS = {"PUBLIC_URL": "https://hub.example"}
PRODUCTION = {
    **HTTPS,
    "HUB_ENV": "production",
    "SECRET_KEY": "k" * 40,
    "STRIPE_SECRET_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_y",
}


@pytest.fixture
def configured(settings: Settings) -> Configured:
    """An app with more of the environment set."""
    base = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "HUB_DATA_DIR": str(settings.data_dir),
    }
    return lambda **more: create_app(Settings.from_env({**base, **more}))


def everything(app: Flask) -> list[TestResponse]:
    client = app.test_client()
    return [
        client.get("/"),
        client.get("/sign-in"),
        client.get("/no/such/page"),
        client.get("/healthz"),
        client.get("/readyz"),
        client.get(API + "/session"),
        client.get(API + "/me"),
        client.post(API + "/session", data="{"),
        client.post(API + "/me"),
        client.get("/static/" + asset("hub.js").removeprefix("/static/")),
        client.get("/socket.io/?EIO=4&transport=polling"),
    ]


def test_every_answer_carries_the_headers(configured: Configured) -> None:
    for answer in everything(configured(**HTTPS)):
        told = answer.headers
        where = answer.request.path
        assert told["X-Content-Type-Options"] == "nosniff", where
        assert told["Referrer-Policy"] == "same-origin", where
        assert told["Cross-Origin-Opener-Policy"] == "same-origin", where
        assert told["Strict-Transport-Security"].startswith("max-age="), where
        policy = told["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy, where
        assert "unsafe" not in policy, where
        assert " ws: " not in policy, where
        assert "connect-src 'self' wss://hub.example;" in policy, where
        answer.close()


def test_without_https_nothing_insists_on_it(app: Flask) -> None:
    for answer in everything(app):
        assert "Strict-Transport-Security" not in answer.headers
        answer.close()


def test_over_https_cookies_are_for_this_host_and_tls_only(configured: Configured) -> None:
    person = Browser(configured(**HTTPS))
    person.sign_up("ana")
    set_by = person.sign_in("ana").headers.getlist("Set-Cookie")
    assert [line.split("=")[0] for line in set_by] == ["__Host-hub_session"]
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in set_by[0]
    assert "Domain" not in set_by[0]
    visit = Browser(configured(**HTTPS)).get("/session").headers["Set-Cookie"]
    assert visit.startswith("__Host-hub_visit=")
    assert "Secure" in visit


def told_address(app: Flask, forwarded: str, peer: str = "10.0.0.1") -> str:
    person = Browser(app)
    sent = {"headers": {"X-Forwarded-For": forwarded}, "environ_overrides": {"REMOTE_ADDR": peer}}
    body = {"email": "a@b.test", "password": "a-long-password", "handle": "ana", "display_name": "A"}
    assert person.post("/users", body, **sent).status_code == 201
    (device,) = person.get("/me/devices").json["items"]
    return str(device["address"])


def test_without_a_trusted_proxy_nobody_is_believed(app: Flask) -> None:
    assert told_address(app, "203.0.113.9") == "10.0.0.1"


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        ("1", "198.51.100.66, 203.0.113.9", "203.0.113.9"),
        ("2", "198.51.100.66, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("2", "203.0.113.9", "10.0.0.1"),
    ],
)
def test_behind_proxies_the_address_the_outermost_saw_counts(
    configured: Configured, hops: str, forwarded: str, address: str
) -> None:
    assert told_address(configured(HUB_TRUSTED_PROXIES=hops), forwarded) == address


def test_limits_count_the_address_behind_the_proxy(configured: Configured) -> None:
    app = configured(HUB_TRUSTED_PROXIES="1")

    def ask(address: str, mailbox: int) -> int:
        sent = {"X-Forwarded-For": address}
        return Browser(app).post("/password-resets", {"email": f"{mailbox}@b.test"}, headers=sent).status_code

    assert [ask("203.0.113.9", n) for n in range(11)] == [202] * 10 + [429]
    assert ask("203.0.113.10", 12) == 202


def measured(app: Flask, token: str | None = None, **sent: str) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    peer = sent.pop("peer", "127.0.0.1")
    headers |= {name.replace("_", "-"): value for name, value in sent.items()}
    return app.test_client().get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).status_code


def test_figures_are_for_this_machine_in_development(app: Flask) -> None:
    assert measured(app) == 200
    assert measured(app, peer="203.0.113.9") == 404
    assert measured(app, X_Forwarded_For="203.0.113.9") == 404


def test_figures_need_the_token_where_one_is_set(configured: Configured) -> None:
    app = configured(HUB_METRICS_TOKEN="a-scraper")
    assert measured(app) == 404
    assert measured(app, token="another") == 404
    assert measured(app, token="é") == 404
    assert measured(app, token="a-scraper", peer="203.0.113.9") == 200


def test_production_measures_for_nobody_without_a_token(configured: Configured) -> None:
    assert measured(configured(**PRODUCTION)) == 404
    assert measured(configured(**PRODUCTION, HUB_METRICS_TOKEN="a-scraper"), token="a-scraper") == 200
