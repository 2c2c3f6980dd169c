"""Production starts with secrets of its own and over TLS, or not at all."""

from __future__ import annotations

import pytest

from creator_hub.settings import DEVELOPMENT_SECRET_KEY, SANDBOX_SECRET_KEY, InsecureSettings, Settings

PRODUCTION = {
    "HUB_ENV": "production",
    "DATABASE_URL": "postgresql+psycopg://db/hub",
    "REDIS_URL": "redis://redis/0",
    "PUBLIC_URL": "https://hub.example",
    "SECRET_KEY": "k" * 40,
    "STRIPE_SECRET_KEY": "sk_live_x",
    "STRIPE_WEBHOOK_SECRET": "whsec_x",
    "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_y",
}


def test_production_starts_with_everything_set() -> None:
    assert Settings.from_env(PRODUCTION).is_https


@pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"HUB_ENV"}))
def test_production_refuses_to_start_without(name: str) -> None:
    with pytest.raises(InsecureSettings, match=f"{name} is missing"):
        Settings.from_env({**PRODUCTION, name: ""})


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SECRET_KEY", DEVELOPMENT_SECRET_KEY, "default"),
        ("SECRET_KEY", "k" * 31, "shorter"),
        ("STRIPE_SECRET_KEY", SANDBOX_SECRET_KEY, "default"),
        ("PUBLIC_URL", "http://hub.example", "not https"),
    ],
)
def test_production_refuses_to_start_with(name: str, value: str, why: str) -> None:
    with pytest.raises(InsecureSettings, match=why) as refused:
        Settings.from_env({**PRODUCTION, name: value})
    assert name in str(refused.value)
    if name != "PUBLIC_URL":
        assert value not in str(refused.value)
