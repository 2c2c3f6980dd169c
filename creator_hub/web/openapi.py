"""The OpenAPI 3.1 description, generated from the declared routes, and a readable page of it."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import render_template
from sqlalchemy.orm import Session

from creator_hub import __version__
from creator_hub.core.access import Actor, Permission
from creator_hub.core.edge import ROUTES, Reply, Route, page, route
from creator_hub.core.schemas import MoneyField, WireSchema

_PATH_PART = re.compile(r"<(?:(\w+):)?(\w+)>")
_MONEY = {
    "type": "object",
    "required": ["amount_minor", "currency"],
    "properties": {
        "amount_minor": {"type": "integer"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {"type": "object"},
        "request_id": {"type": "string"},
    },
}


@route("GET", "/openapi.json", permission=Permission.SEE_PUBLIC)
def openapi_json(session: Session, actor: Actor) -> Reply:
    """This description."""
    return Reply(description())


@page("/api/docs", permission=Permission.SEE_PUBLIC)
def docs_page(session: Session, actor: Actor) -> str:
    """The API, readable."""
    return render_template("api_docs.html", paths=description()["paths"])


@functools.cache
def description() -> dict[str, Any]:
    """The whole API as an OpenAPI 3.1 document."""
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    spec = APISpec("Creator Hub", __version__, "3.1.0", plugins=[plugin])
    for shape in (_money_shape, _bounds_as_numbers):
        plugin.converter.add_attribute_function(shape)  # type: ignore[union-attr]
    spec.components.schema("Problem", _PROBLEM)
    for name, scheme in _SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for declared in ROUTES:
        if declared.surface == "api":
            spec.path(
                path=_PATH_PART.sub(r"{\2}", declared.path),
                operations={declared.method.lower(): _operation(declared)},
            )
    return spec.to_dict()


_SECURITY = {
    "session": {"type": "apiKey", "in": "cookie", "name": "hub_session"},
    "token": {"type": "http", "scheme": "bearer"},
}


def _operation(declared: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done"}
    if declared.answer is not None:
        done["content"] = {"application/json": {"schema": declared.answer}}
    operation: dict[str, Any] = {
        "summary": declared.summary,
        "operationId": f"{declared.view.__module__.split('.')[1]}_{declared.view.__name__}",
        "tags": [declared.view.__module__.split(".")[1]],
        "x-permission": declared.permission.value,
        "parameters": [*_path_parameters(declared.rule)],
        "security": [{"session": []}, {"token": []}],
        "responses": {
            str(declared.status): done,
            "default": {
                "description": "A problem (RFC 9457)",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if declared.query is not None:
        operation["parameters"].append({"in": "query", "schema": declared.query})
    if declared.body is not None:
        operation["requestBody"] = {
            "required": not declared.body_optional,
            "content": {"application/json": {"schema": declared.body}},
        }
    return operation


def _path_parameters(rule: str) -> list[dict[str, Any]]:
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if kind == "uuid" else {"type": "string"},
        }
        for kind, name in _PATH_PART.findall(rule)
    ]


def _money_shape(self: Any, field: Any, **_: Any) -> dict[str, Any]:
    return _MONEY if isinstance(field, MoneyField) else {}


def _bounds_as_numbers(self: Any, field: Any, ret: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A decimal field's limits: JSON knows no Decimal."""
    return {name: float(value) for name, value in ret.items() if isinstance(value, Decimal)}


def _schema_name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__) if issubclass(kind, WireSchema) else "Object"
