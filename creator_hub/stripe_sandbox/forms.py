"""Stripe's form encoding and a small grammar for the parameters of a route.

`parse` reads `a[b][0][c]=1` into nested dicts and lists; `check` reads the values by a specification, refuses what it
does not name and asks for what is required. A specification is a dict of name → type; a name ending in `*` is
required. A type is `str`, `int`, `bool`, `float`, a tuple of allowed words, `META`, a dict (nested), a one-element
list (a list of that type), or `Either(...)` for the few parameters Stripe accepts in two shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from creator_hub.stripe_sandbox.errors import ApiError, unreadable


@dataclass(frozen=True, slots=True)
class Either:
    """A word out of `words`, else a text read as `plain`, else the nested `other` (`trial_end: "now"` or a time)."""

    words: tuple[str, ...] = ()
    plain: Any = None
    other: Any = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """String keys to string values; an empty value removes a key, an empty whole removes all."""


META = Metadata()
CREATED = Either(plain=int, other={"gt": int, "gte": int, "lt": int, "lte": int})
PAGE: dict[str, Any] = {"limit": int, "starting_after": str, "ending_before": str, "expand": [str]}
ADDRESS: dict[str, Any] = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), str)
Spec = dict[str, Any]


def parse(raw: str) -> dict[str, Any]:
    """Decode a query string or form body; numeric keys become lists in their order."""
    root: dict[str, Any] = {}
    for key, value in parse_qsl(raw, keep_blank_values=True):
        _place(root, key, value)
    return {key: _lists(value) for key, value in root.items()}


def _place(root: dict[str, Any], key: str, value: str) -> None:
    head, _, rest = key.partition("[")
    parts = [head, *(part.rstrip("]") for part in rest.split("["))] if rest else [head]
    node = root
    for part in parts[:-1]:
        part = part or str(len(node))
        child = node.setdefault(part, {})
        if not isinstance(child, dict):
            raise unreadable(f"Invalid parameter {key}.", code="parameter_invalid_string_blank", param=key)
        node = child
    node[parts[-1] or str(len(node))] = value


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


def check(given: dict[str, Any], spec: Spec, at: str = "") -> dict[str, Any]:
    """The typed parameters; raises Stripe's parameter_unknown, parameter_missing or parameter_invalid errors."""
    types = {name.rstrip("*"): kind for name, kind in spec.items()}
    for name in given:
        if name not in types:
            where = _path(at, name)
            raise unreadable(f"Received unknown parameter: {where}", code="parameter_unknown", param=where)
    for name in spec:
        if name.endswith("*") and name[:-1] not in given:
            where = _path(at, name[:-1])
            raise unreadable(f"Missing required param: {where}.", code="parameter_missing", param=where)
    return {name: _value(value, types[name], _path(at, name)) for name, value in given.items()}


def _path(at: str, name: str) -> str:
    return f"{at}[{name}]" if at else name


def _value(value: Any, kind: Any, where: str) -> Any:
    if isinstance(kind, Either):
        return _either(value, kind, where)
    if isinstance(kind, Metadata):
        return _metadata(value, where)
    if isinstance(kind, list):
        return _list(value, kind[0], where)
    if isinstance(kind, dict):
        if value == "":
            return None
        if not isinstance(value, dict):
            raise unreadable("Invalid object", code="parameter_invalid_empty", param=where)
        return check(value, kind, where)
    if not isinstance(value, str):
        raise unreadable(f"Invalid string: {where}", param=where)
    if isinstance(kind, tuple):
        return _word(value, kind, where)
    return _plain(value, kind, where)


def _either(value: Any, kind: Either, where: str) -> Any:
    if isinstance(value, str) and (value in kind.words or kind.plain is not None):
        return value if value in kind.words else _plain(value, kind.plain, where)
    return _value(value, kind.other, where)


def _metadata(value: Any, where: str) -> dict[str, str]:
    if value == "":
        return {"": ""}
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if not isinstance(value, dict) or any(not isinstance(item, str) for item in value.values()):
        raise unreadable(f"Invalid {where}: metadata holds strings only.", param=where)
    if len(value) > 50 or any(len(key) > 40 or len(item) > 500 for key, item in value.items()):
        raise unreadable("Metadata holds at most 50 keys of 40 characters, values of 500 characters.", param=where)
    return value


def _list(value: Any, kind: Any, where: str) -> list[Any]:
    if value == "":
        return []
    if not isinstance(value, list):
        raise unreadable("Invalid array", param=where)
    return [_value(item, kind, f"{where}[{index}]") for index, item in enumerate(value)]


def _word(value: str, words: tuple[str, ...], where: str) -> str | None:
    if value == "":
        return None
    if value not in words:
        raise unreadable(f"Invalid {where}: must be one of {', '.join(words)}", param=where)
    return value


def _plain(value: str, kind: type, where: str) -> Any:
    if kind is str:
        return value or None
    if value == "":
        return None
    try:
        return _BOOLEANS[value] if kind is bool else kind(value)
    except (KeyError, ValueError):
        raise unreadable(f"Invalid {_NAMES[kind]}: {value}", code=_CODES.get(kind), param=where) from None


_BOOLEANS = {"true": True, "false": False, "True": True, "False": False}
_NAMES: dict[Any, str] = {int: "integer", bool: "boolean", float: "decimal"}
_CODES: dict[Any, str] = {int: "parameter_invalid_integer"}


def merge_metadata(old: dict[str, str] | None, new: dict[str, str] | None) -> dict[str, str]:
    """Stripe's rule: keys are merged, an empty value unsets its key, an empty whole unsets all."""
    if new is None:
        return dict(old or {})
    if new == {"": ""}:
        return {}
    merged = {**(old or {}), **new}
    return {key: value for key, value in merged.items() if value != ""}


__all__ = ["ADDRESS", "CREATED", "META", "PAGE", "ApiError", "Either", "Spec", "check", "merge_metadata", "parse"]
