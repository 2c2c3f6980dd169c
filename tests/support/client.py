"""A test browser: Flask's client with a cookie jar, JSON and the CSRF header."""

from __future__ import annotations

import io
import uuid
from typing import Any

from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from creator_hub.accounts import cookies
from creator_hub.accounts.models import User
from creator_hub.core.db import unit_of_work

API = "/api/v1"
PASSWORD = "correct-horse-battery"


class Browser:
    """One person's browser. Paths are relative to /api/v1 unless they begin with it or are asked with `page`."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()
        self._csrf = ""

    def page(self, path: str) -> TestResponse:
        return self._client.get(path)

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        answer = self._client.get(API + path, **kwargs)
        if path == "/session":
            self._csrf = answer.json["csrf_token"]
        return answer

    def post(self, path: str, body: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self._send("POST", path, body if body is not None else {}, **kwargs)

    def put(self, path: str, body: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self._send("PUT", path, body if body is not None else {}, **kwargs)

    def patch(self, path: str, body: dict[str, Any], **kwargs: Any) -> TestResponse:
        return self._send("PATCH", path, body, **kwargs)

    def upload(self, path: str, name: str, content: bytes) -> TestResponse:
        """One file, as a form sends it."""
        sent = {"X-CSRF-Token": self._csrf}
        boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(content), name)})
        kind = f"multipart/form-data; boundary={boundary}"
        return self._client.post(API + path, data=body, content_type=kind, headers=sent)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        return self._send("DELETE", path, None, **kwargs)

    def sign_up(self, handle: str) -> dict[str, Any]:
        """Create the person and sign in; returns the user."""
        answer = self.post(
            "/users",
            {
                "email": f"{handle}@example.test",
                "password": PASSWORD,
                "handle": handle,
                "display_name": handle.capitalize(),
            },
        )
        assert answer.status_code == 201, answer.get_data(as_text=True)
        self._csrf = answer.json["csrf_token"]
        return answer.json["user"]

    def sign_up_with_roles(self, handle: str, roles: list[str]) -> dict[str, Any]:
        """Create a person of the platform's staff."""
        user = self.sign_up(handle)
        with unit_of_work() as session:
            session.get_one(User, uuid.UUID(user["id"])).roles = sorted(roles)
        return user

    def ask(self, method: str, path: str) -> TestResponse:
        """Any route, by its whole path, with an empty JSON body where a body may be."""
        body = None if method in ("GET", "DELETE") else {}
        return self._client.open(path, method=method, json=body, headers={"X-CSRF-Token": self._csrf})

    def sign_in(self, handle: str, password: str = PASSWORD) -> TestResponse:
        answer = self.post("/session", {"email": f"{handle}@example.test", "password": password})
        if answer.status_code == 201:
            self._csrf = answer.json["csrf_token"]
        return answer

    def pack(self) -> tuple[dict[str, str], str]:
        """The cookies and the CSRF token, for another browser of the same person to begin with."""
        held = {name: self.cookie(name) for name in map(cookies.name_of, (cookies.SESSION, cookies.VISIT))}
        return {name: value for name, value in held.items() if value}, self._csrf

    def unpack(self, held: dict[str, str], token: str) -> None:
        for name, value in held.items():
            self._client.set_cookie(name, value)
        self._csrf = token

    def cookie(self, name: str) -> str | None:
        found = self._client.get_cookie(name)
        return found.value if found else None

    def _send(
        self, method: str, path: str, body: Any, *, headers: dict[str, str] | None = None, **kw: Any
    ) -> TestResponse:
        if not self._csrf:
            self._csrf = self.get("/session").json["csrf_token"]
        sent = {"X-CSRF-Token": self._csrf, **(headers or {})}
        return self._client.open(API + path, method=method, json=body, headers=sent, **kw)
