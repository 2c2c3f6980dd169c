"""Stripe's test cards: what each number does when it is attached and when it is charged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """`decline` is Stripe's decline_code on every charge; `attaches` False means that it is refused at once too."""

    number: str
    brand: str = "visa"
    country: str = "US"
    decline: str | None = None
    attaches: bool = False
    authenticates: bool = False
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Decline:
    """One refusal: the error code, the issuer's decline_code and the sentence shown to the person."""

    code: str
    decline_code: str
    message: str


_CARDS = (
    Card("4242424242424242"),
    Card("4000056655665556"),
    Card("5555555555554444", brand="mastercard"),
    Card("378282246310005", brand="amex"),
    Card("4000002760000016", country="DE"),
    Card("4000008260000000", country="GB"),
    Card("4000003920000003", country="JP"),
    Card("4000000000000002", decline="generic_decline"),
    Card("4000000000009995", decline="insufficient_funds"),
    Card("4000000000009987", decline="lost_card"),
    Card("4000000000009979", decline="stolen_card"),
    Card("4000000000000069", decline="expired_card"),
    Card("4000000000000127", decline="incorrect_cvc"),
    Card("4000000000000119", decline="processing_error"),
    Card("4000000000000341", decline="generic_decline", attaches=True),
    Card("4000002760003184", authenticates=True, attaches=True, country="DE"),
    Card("4000000000000259", disputed=True),
)
CARDS = {card.number: card for card in _CARDS}

TOKENS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_de": "4000002760000016",
    "pm_card_gb": "4000008260000000",
    "pm_card_jp": "4000003920000003",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
}

_MESSAGES = {
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "insufficient_funds": "Your card has insufficient funds.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def decline_for(reason: str) -> Decline:
    """The refusal for a decline_code; the few reasons that are error codes of their own keep them."""
    own = reason in ("expired_card", "incorrect_cvc", "processing_error", "authentication_required")
    return Decline(reason if own else "card_declined", reason, _MESSAGES.get(reason, "Your card was declined."))


def lookup(number: str) -> Card | None:
    """The card behind a number as typed (spaces allowed); None for a number that is no test card."""
    digits = "".join(character for character in number if character.isdigit())
    return CARDS.get(digits)
