"""What all pages share: templates, headers, the apology."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from werkzeug.wrappers import Response

from creator_hub.stripe_sandbox import fees

COUNTRIES = {
    "AU": "Australia",
    "AT": "Austria",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "DK": "Denmark",
    "FI": "Finland",
    "FR": "France",
    "DE": "Germany",
    "IN": "India",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "KR": "South Korea",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "SG": "Singapore",
    "ES": "Spain",
    "SE": "Sweden",
    "CH": "Switzerland",
    "GB": "United Kingdom",
    "US": "United States",
}
_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'; frame-ancestors 'none'"


def money(amount: int, currency: str) -> str:
    """`12.00 USD`."""
    return f"{fees.major(amount, currency)} {currency.upper()}"


def day(moment: int) -> str:
    """`25 Nov 2026`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y")


def clock(moment: int) -> str:
    """`25 Nov 2026 08:53:10`, UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%d %b %Y %H:%M:%S")


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["money"] = money
_TEMPLATES.filters["day"] = day
_TEMPLATES.filters["clock"] = clock


def page(template: str, status: int = 200, **values: Any) -> Response:
    body = _TEMPLATES.get_template(template).render(countries=COUNTRIES, **values)
    return Response(
        body,
        status,
        {"Content-Security-Policy": _CSP, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        mimetype="text/html",
    )


def web_only(url: str | None) -> str | None:
    """A link a page may carry: http(s) only, never `javascript:`."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def sorry(title: str, text: str, back: str | None = None, status: int = 404) -> Response:
    return page("message.html", status, title=title, text=text, back=web_only(back))
