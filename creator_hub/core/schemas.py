"""The base of every wire shape: unknown fields are refused, money and times have one form.

Money is `{"amount_minor": 500, "currency": "USD"}`, times are RFC 3339 in UTC with a `Z`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from creator_hub.core.errors import Invalid
from creator_hub.core.money import Money
from creator_hub.core.paging import DEFAULT_LIMIT, MAX_LIMIT, PageRequest

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_MINOR = 9_999_999_999
MOST_VALUES, MOST_ERRORS = 2_000, 20


class WireSchema(Schema):
    """A request or answer shape. Unknown fields raise; what is not declared never leaves the house."""

    class Meta:
        unknown = RAISE


class Text(fields.String):
    """Text from people: trimmed, between `shortest` and `longest` characters, without NUL and without half a surrogate
    pair, which JSON can spell and nothing can store."""

    def __init__(self, *, shortest: int = 1, longest: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(min=shortest, max=longest), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is None or _UNSTORABLE.search(text):
            raise ValidationError("This text contains a character that cannot be stored.")
        return str(text).strip()


class Timestamp(fields.AwareDateTime):
    """An aware moment; dumped in UTC as `2026-11-25T04:48:00.123Z`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else rfc3339(value)


class MoneyField(fields.Field[Money]):
    """`{"amount_minor": int, "currency": "USD"}` ⇄ `core.money.Money`."""

    def __init__(self, *, positive: bool = False, **kwargs: Any) -> None:
        self.positive = positive
        super().__init__(**kwargs)

    def _serialize(self, value: Money | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else wire_money(value)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Money:
        if not isinstance(value, dict) or set(value) != {"amount_minor", "currency"}:
            raise ValidationError("Money is an object with amount_minor and currency.")
        minor, currency = value["amount_minor"], value["currency"]
        if isinstance(minor, bool) or not isinstance(minor, int) or abs(minor) > MAX_MINOR:
            raise ValidationError("amount_minor is a whole number of minor units.")
        if self.positive and minor <= 0:
            raise ValidationError("The amount must be more than zero.")
        try:
            return Money(minor, currency)
        except (TypeError, ValueError):
            raise ValidationError("currency is a three-letter ISO code in capitals.") from None


class PageQuery(WireSchema):
    """`?limit=` (≤ 100) and `?after=<cursor>`, for list routes that ask for more besides."""

    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    after = fields.String(load_default=None)


class ListQuery(PageQuery):
    """What every plain list route asks; loads into a PageRequest."""

    @post_load
    def _as_request(self, data: dict[str, Any], **_: Any) -> PageRequest:
        return PageRequest(**data)


def load(schema: WireSchema, data: Any, *, unknown: Literal["exclude"] | None = None) -> Any:
    """Load input from either wire through its schema; raises Invalid with the errors by field.

    Validating a value costs far more than sending it, so input with more values than anything here could mean is
    refused before, and of very many errors only the first are told.
    """
    if not isinstance(data, Mapping):
        raise Invalid("The input must be an object.")
    if _is_crowded(data):
        raise Invalid("There are too many values in this request.")
    try:
        return schema.load(data, unknown=unknown)
    except ValidationError as error:
        messages = error.messages if isinstance(error.messages, dict) else {"_schema": error.messages}
        raise Invalid(errors=_told(messages)) from None


def _is_crowded(data: Any) -> bool:
    left, waiting = MOST_VALUES, [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            value = list(value.values())
        if isinstance(value, list):
            left -= len(value)
            if left < 0:
                return True
            waiting.extend(value)
    return False


def _told(messages: Any) -> Any:
    """Errors as JSON takes them: names are text, also those of places in a list."""
    if isinstance(messages, Mapping):
        return {str(name): _told(inner) for name, inner in islice(messages.items(), MOST_ERRORS)}
    return messages[:MOST_ERRORS] if isinstance(messages, list) else messages


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def wire_money(money: Money) -> dict[str, Any]:
    return {"amount_minor": money.minor, "currency": money.currency}


@functools.cache
def page_of(item: type[WireSchema]) -> WireSchema:
    """The answer shape of a list of `item`; one per item, or the API's description would have to number them."""
    shape = WireSchema.from_dict(
        {"items": fields.List(fields.Nested(item)), "next": fields.String(allow_none=True)},
        name=f"{item.__name__}Page",
    )
    return shape()  # type: ignore[return-value]
