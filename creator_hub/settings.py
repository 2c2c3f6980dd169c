"""Everything the environment may say, read once and frozen.

Development runs with no variable set at all. Production (`HUB_ENV=production`) refuses to start when a secret is
missing or is one of the development defaults: a forgotten secret must be an outage at deploy, not a breach later.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEVELOPMENT_SECRET_KEY = "development-only-secret-key-never-use-in-production"  # noqa: S105 - refused in production
SANDBOX_SECRET_KEY = "sk_test_sandbox"  # noqa: S105 - the sandbox's own key, refused in production
SANDBOX_WEBHOOK_SECRET = "whsec_sandbox_platform"  # noqa: S105 - refused in production
SANDBOX_CONNECT_WEBHOOK_SECRET = "whsec_sandbox_connect"  # noqa: S105 - refused in production

_SECRETS = {
    "SECRET_KEY": DEVELOPMENT_SECRET_KEY,
    "STRIPE_SECRET_KEY": SANDBOX_SECRET_KEY,
    "STRIPE_WEBHOOK_SECRET": SANDBOX_WEBHOOK_SECRET,
    "STRIPE_CONNECT_WEBHOOK_SECRET": SANDBOX_CONNECT_WEBHOOK_SECRET,
}
_MUST_BE_SET_IN_PRODUCTION = ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL")
SHORTEST_SECRET_KEY = 32
SocketEdge = Literal["fast", "stock"]
SOCKET_EDGES: tuple[SocketEdge, ...] = ("fast", "stock")


class InsecureSettings(RuntimeError):
    """Production was asked for with a secret missing, default or too short; the message names each variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration. Times in days, ports as TCP numbers, URLs without a trailing slash."""

    env: str
    port: int
    public_url: str
    database_url: str
    redis_url: str
    secret_key: str
    data_dir: Path
    stripe_secret_key: str
    stripe_webhook_secret: str
    stripe_connect_webhook_secret: str
    stripe_api_base: str | None
    stripe_sandbox_port: int
    media_url: str
    mail_url: str
    trusted_proxies: int
    metrics_token: str
    payout_hold_days: int
    payout_account_hold_days: int
    payout_reserve_bps: int
    payout_reserve_days: int
    platform_fee_bps: int
    tax_bps: int
    yearly_share_at_once: bool
    socket_edge: SocketEdge
    bank_name: str
    bank_iban: str
    ach_routing_number: str
    ach_company_id: str

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def is_https(self) -> bool:
        """True when people reach the hub over TLS: cookies are then for TLS only, and browsers are told to insist."""
        return self.public_url.startswith("https://")

    @property
    def uses_sandbox(self) -> bool:
        """True when Stripe calls go to the sandbox that this project carries, not to Stripe."""
        return self.stripe_secret_key == SANDBOX_SECRET_KEY

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; raises InsecureSettings in production and ValueError for a number that is none."""
        env = os.environ if environ is None else environ
        name = env.get("HUB_ENV", "development")
        if name not in ("development", "production"):
            raise ValueError(f"HUB_ENV must be development or production, not {name!r}")
        if name == "production":
            _refuse_insecure(env)
        port = int(env.get("PORT", "8000"))
        data_dir = Path(env.get("HUB_DATA_DIR", "var")).absolute()
        sandbox_port = int(env.get("STRIPE_SANDBOX_PORT", "8100"))
        secret = {key: env.get(key) or default for key, default in _SECRETS.items()}
        default_base = f"http://127.0.0.1:{sandbox_port}" if secret["STRIPE_SECRET_KEY"] == SANDBOX_SECRET_KEY else None
        return cls(
            env=name,
            port=port,
            public_url=env.get("PUBLIC_URL", f"http://localhost:{port}").rstrip("/"),
            database_url=env.get("DATABASE_URL", ""),
            redis_url=env.get("REDIS_URL", ""),
            secret_key=secret["SECRET_KEY"],
            data_dir=data_dir,
            stripe_secret_key=secret["STRIPE_SECRET_KEY"],
            stripe_webhook_secret=secret["STRIPE_WEBHOOK_SECRET"],
            stripe_connect_webhook_secret=secret["STRIPE_CONNECT_WEBHOOK_SECRET"],
            stripe_api_base=env.get("STRIPE_API_BASE") or default_base,
            stripe_sandbox_port=sandbox_port,
            media_url=env.get("MEDIA_URL", f"file://{data_dir}/media"),
            mail_url=env.get("MAIL_URL", f"file://{data_dir}/mail"),
            trusted_proxies=int(env.get("HUB_TRUSTED_PROXIES", "0")),
            metrics_token=env.get("HUB_METRICS_TOKEN", ""),
            payout_hold_days=int(env.get("HUB_PAYOUT_HOLD_DAYS", "7")),
            payout_account_hold_days=int(env.get("HUB_PAYOUT_ACCOUNT_HOLD_DAYS", "7")),
            payout_reserve_bps=int(env.get("HUB_PAYOUT_RESERVE_BPS", "0")),
            payout_reserve_days=int(env.get("HUB_PAYOUT_RESERVE_DAYS", "90")),
            platform_fee_bps=int(env.get("HUB_PLATFORM_FEE_BPS", "1000")),
            tax_bps=int(env.get("HUB_TAX_BPS", "0")),
            yearly_share_at_once=_yearly_share(env) == "at_once",
            socket_edge=_socket_edge(env.get("HUB_SOCKET_EDGE") or "fast"),
            bank_name=env.get("HUB_BANK_NAME", "Creator Hub"),
            bank_iban=env.get("HUB_BANK_IBAN", ""),
            ach_routing_number=env.get("HUB_ACH_ROUTING_NUMBER", ""),
            ach_company_id=env.get("HUB_ACH_COMPANY_ID", ""),
        )


def _yearly_share(env: Mapping[str, str]) -> str:
    chosen = env.get("HUB_YEARLY_SHARE", "monthly")
    if chosen not in ("monthly", "at_once"):
        raise ValueError(f"HUB_YEARLY_SHARE must be monthly or at_once, not {chosen!r}")
    return chosen


def _socket_edge(asked: str) -> SocketEdge:
    for mode in SOCKET_EDGES:
        if asked == mode:
            return mode
    raise ValueError(f"HUB_SOCKET_EDGE must be fast or stock, not {asked!r}")


def _refuse_insecure(env: Mapping[str, str]) -> None:
    wrong = [f"{key} is missing" for key in (*_SECRETS, *_MUST_BE_SET_IN_PRODUCTION) if not env.get(key)]
    wrong += [f"{key} is the development default" for key, default in _SECRETS.items() if env.get(key) == default]
    if not env.get("PUBLIC_URL", "https://").startswith("https://"):
        wrong.append("PUBLIC_URL is not https: sessions would travel in clear")
    if 0 < len(env.get("SECRET_KEY", "")) < SHORTEST_SECRET_KEY:
        wrong.append(f"SECRET_KEY is shorter than {SHORTEST_SECRET_KEY} characters")
    if wrong:
        raise InsecureSettings("refusing to start in production: " + "; ".join(wrong))


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of this process; the composition roots call it once."""
    global _current
    _current = settings


def current() -> Settings:
    if _current is None:
        raise RuntimeError("settings.use() has not been called")
    return _current
