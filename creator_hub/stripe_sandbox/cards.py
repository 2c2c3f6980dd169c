"""Stripe's test cards: what each number does when it is attached and when it is charged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """`decline` is Stripe's decline_code on every charge; `attaches` False means that it is refused at once too.

    `authenticates` asks for 3-D Secure; `off_session` no more once it was approved and saved. `later` names the timer
    that brings trouble to a paid charge, `refund` what becomes of its refunds.
    """

    number: str
    brand: str = "visa"
    country: str = "US"
    decline: str | None = None
    attaches: bool = False
    authenticates: bool = False
    off_session: bool = False
    later: str | None = None
    refund: str | None = None


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
    Card("4000002500003155", authenticates=True, attaches=True, off_session=True, country="IE"),
    Card("4000003800000446", authenticates=True, attaches=True, off_session=True, country="GB"),
    Card("4000008260003178", decline="insufficient_funds", authenticates=True, attaches=True, country="GB"),
    Card("4000008400001629", decline="generic_decline", authenticates=True, attaches=True),
    Card("4000000000000259", later="dispute"),
    Card("4000000000002685", later="dispute_not_received"),
    Card("4000000000001976", later="inquiry"),
    Card("4000000000005423", later="fraud_warning"),
    Card("4000000000007726", refund="pending"),
    Card("4000000000005126", refund="fails"),
    Card("4000000000000077"),
    Card("4000000000003220", authenticates=True, attaches=True),
    Card("4000000000003063", authenticates=True, attaches=True),
    Card("4000000000004954", decline="highest_risk_level"),
    Card("4100000000000019", decline="fraudulent"),
    Card("4000000000006975", decline="card_velocity_exceeded"),
    Card("5200828282828210", brand="mastercard"),
    Card("371449635398431", brand="amex"),
    Card("6011111111111117", brand="discover"),
    Card("3056930009020004", brand="diners"),
    Card("3566002020360505", brand="jcb"),
    Card("6200000000000005", brand="unionpay"),
    Card("4000002500000003", country="FR"),
    Card("4000003800000008", country="IT"),
    Card("4000007240000007", country="ES"),
    Card("4000000360000006", country="AU"),
    Card("4000001240000000", country="CA"),
    Card("4000000760000002", country="BR"),
    Card("4000004840008001", country="MX"),
    Card("4000007560000009", country="CH"),
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
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequiredSetupForOffSession": "4000003800000446",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_threeDSecureRequired": "4000000000003063",
    "pm_card_threeDSecureRequiredChargeDeclined": "4000008400001629",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createProductNotReceivedDispute": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_createIssuerFraudRecord": "4000000000005423",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_bypassPending": "4000000000000077",
    "pm_card_radarBlock": "4100000000000019",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "pm_card_chargeDeclinedVelocityLimitExceeded": "4000000000006975",
    "pm_card_mastercard_debit": "5200828282828210",
    "pm_card_discover": "6011111111111117",
    "pm_card_diners": "3056930009020004",
    "pm_card_jcb": "3566002020360505",
    "pm_card_unionpay": "6200000000000005",
    "pm_card_us": "4242424242424242",
    "pm_card_fr": "4000002500000003",
    "pm_card_it": "4000003800000008",
    "pm_card_es": "4000007240000007",
    "pm_card_au": "4000000360000006",
    "pm_card_ca": "4000001240000000",
    "pm_card_br": "4000000760000002",
    "pm_card_mx": "4000004840008001",
    "pm_card_ch": "4000007560000009",
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
