"""Reading the card form that Checkout, the invoice page and the portal share."""

from __future__ import annotations

from creator_hub.stripe_sandbox.cards import lookup
from creator_hub.stripe_sandbox.errors import ApiError
from creator_hub.stripe_sandbox.hosted.page import COUNTRIES
from creator_hub.stripe_sandbox.store import Obj

DECLINE_HELP = {
    "insufficient_funds": "Your card has insufficient funds. Try another card, or top this one up and try again.",
    "expired_card": "Your card has expired. Check the date or use another card.",
    "generic_decline": "Your card was declined. Try another card, or ask your bank why and try again.",
    "incorrect_cvc": "The security code is wrong. Check the three digits on the back and try again.",
}


def refusal_text(error: ApiError) -> str:
    """What to tell the person whose card was refused."""
    return str(DECLINE_HELP.get(error.error.get("decline_code", ""), error.error["message"]))


def details_of(form: dict[str, str], email: str | None) -> Obj:
    """The checked form as `start_payment` and `make_method` take it."""
    month, year = expiry(form["expiry"]) or (12, 34)
    return {
        "email": form.get("email") or email,
        "name": form.get("name"),
        "country": form.get("country"),
        "month": month,
        "year": 2000 + year,
    }


def mistakes_in(form: dict[str, str], *, needs_email: bool) -> dict[str, str]:
    found = {}
    if needs_email and "@" not in form.get("email", ""):
        found["email"] = "Enter your e-mail address, for the receipt."
    if lookup(form.get("card", "")) is None:
        found["card"] = "That is no test card. 4242 4242 4242 4242 always works."
    if expiry(form.get("expiry", "")) is None:
        found["expiry"] = "Enter month and year as on the card, such as 12 / 34."
    if not form.get("cvc", "").isdigit() or len(form["cvc"]) not in (3, 4):
        found["cvc"] = "Enter the three or four digits of the security code."
    if not form.get("name", "").strip():
        found["name"] = "Enter the name on the card."
    if form.get("country") not in COUNTRIES:
        found["country"] = "Choose your country."
    return found


def expiry(text: str) -> tuple[int, int] | None:
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) != 4 or not 1 <= int(digits[:2]) <= 12:
        return None
    return int(digits[:2]), int(digits[2:])
