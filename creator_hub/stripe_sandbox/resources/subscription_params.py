"""The parameters that subscriptions, previews, schedules and Checkout share."""

from __future__ import annotations

from creator_hub.stripe_sandbox.forms import META, Spec
from creator_hub.stripe_sandbox.resources.prices import INTERVALS, TAX_BEHAVIORS

ITEM_PRICE_DATA: Spec = {
    "currency*": str,
    "product*": str,
    "recurring*": {"interval*": INTERVALS, "interval_count": int},
    "tax_behavior": TAX_BEHAVIORS,
    "unit_amount": int,
}
ITEM: Spec = {"price": str, "price_data": ITEM_PRICE_DATA, "quantity": int, "metadata": META, "tax_rates": [str]}
CHANGED_ITEM: Spec = {**ITEM, "id": str, "deleted": bool}
PRORATION = ("always_invoice", "create_prorations", "none")
NEW_DISCOUNT: Spec = {"coupon": str, "promotion_code": str}
DISCOUNT: Spec = {**NEW_DISCOUNT, "discount": str}
ANCHOR: Spec = {"type*": ("now", "unchanged")}
TRIAL_SETTINGS: Spec = {"end_behavior*": {"missing_payment_method*": ("cancel", "create_invoice", "pause")}}
BILLING_MODE: Spec = {
    "type*": ("classic", "flexible"),
    "flexible": {"proration_discounts": ("included", "itemized")},
}
FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
CANCELLATION: Spec = {"comment": str, "feedback": FEEDBACK}
