"""Radar's early fraud warnings: the issuer says that a charge may be fraud, before anybody disputes it."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED
from creator_hub.stripe_sandbox.routes import listing, retrieval
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj
from creator_hub.stripe_sandbox.timers import timer

KIND = "radar.early_fraud_warning"
FRAUD_TYPES = (
    "card_never_received",
    "fraudulent_card_application",
    "made_with_counterfeit_card",
    "made_with_lost_card",
    "made_with_stolen_card",
    "misc",
    "unauthorized_use_of_card",
)


def warn(scope: Scope, charge_id: str, fraud_type: str = "misc") -> Obj:
    """Raise a warning over a successful charge; it is actionable while the charge is neither disputed nor refunded."""
    charge = scope.get("charge", charge_id, "charge")
    if charge["status"] != "succeeded":
        raise invalid("Only a successful charge can get an early fraud warning.", param="charge")
    warning: Obj = {
        "id": new_id("issfr"),
        "object": KIND,
        "actionable": not charge["disputed"] and not charge["refunded"],
        "charge": charge_id,
        "created": scope.now,
        "fraud_type": fraud_type,
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
    scope.add(warning)
    scope.emit(f"{KIND}.created", warning)
    return warning


def settled(scope: Scope, charge_id: str) -> None:
    """Disputed or wholly refunded: there is nothing left to act on."""
    for warning in scope.all(KIND, charge=charge_id, actionable=True):
        with scope.changing(warning, f"{KIND}.updated"):
            warning["actionable"] = False


@timer("fraud_warning")
def warn_later(scope: Scope, charge: str) -> None:
    warn(scope, charge)


retrieval("/v1/radar/early_fraud_warnings/{id}", KIND)
listing("/v1/radar/early_fraud_warnings", KIND, {"charge": str, "created": CREATED, "payment_intent": str})
