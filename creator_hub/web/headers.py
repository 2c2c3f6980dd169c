"""What every answer tells the browser, whoever made it: a view, the static files, the socket server or an error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from creator_hub.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HSTS = "max-age=31536000"


def policy(public_url: str) -> str:
    """Strict: no inline script or style anywhere. Forms lead to Stripe's hosted pages only through our own redirects.

    The socket's address is named as well: older browsers do not count ws: as "self".
    """
    socket = public_url.replace("http", "ws", 1)
    return (
        f"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {socket}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )


class SafeAnswers:
    """WSGI middleware: adds the headers that are missing; what a view has said itself stays."""

    def __init__(self, app: WSGIApplication, settings: Settings) -> None:
        self._app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Content-Security-Policy": policy(settings.public_url),
        }
        if settings.is_https:
            self._headers["Strict-Transport-Security"] = HSTS

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            said = {name.lower() for name, _ in headers}
            missing = [(name, value) for name, value in self._headers.items() if name.lower() not in said]
            return start_response(status, headers + missing, *rest)

        return self._app(environ, start)
