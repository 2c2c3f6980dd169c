"""Products."""

from __future__ import annotations

from creator_hub.stripe_sandbox.errors import invalid
from creator_hub.stripe_sandbox.forms import CREATED, META, Spec, merge_metadata
from creator_hub.stripe_sandbox.routes import apply, listing, retrieval, route
from creator_hub.stripe_sandbox.scope import Scope, new_id
from creator_hub.stripe_sandbox.store import Obj

PRODUCT_FIELDS: Spec = {
    "active": bool,
    "description": str,
    "images": [str],
    "metadata": META,
    "shippable": bool,
    "statement_descriptor": str,
    "unit_label": str,
    "url": str,
}


@route("POST", "/v1/products", {"name*": str, "id": str, **PRODUCT_FIELDS})
def create_product(scope: Scope, params: Obj) -> Obj:
    product: Obj = {
        "id": params.get("id") or new_id("prod", 14),
        "object": "product",
        "active": params.get("active", True),
        "created": scope.now,
        "default_price": None,
        "description": params.get("description"),
        "images": params.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": merge_metadata(None, params.get("metadata")),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": params.get("shippable"),
        "statement_descriptor": params.get("statement_descriptor"),
        "tax_code": None,
        "type": "service",
        "unit_label": params.get("unit_label"),
        "updated": scope.now,
        "url": params.get("url"),
    }
    scope.add(product)
    scope.emit("product.created", product)
    return product


@route("POST", "/v1/products/{id}", {"name": str, "default_price": str, **PRODUCT_FIELDS})
def update_product(scope: Scope, params: Obj, identifier: str) -> Obj:
    with scope.changing(scope.get("product", identifier), "product.updated") as product:
        apply(product, params)
        product["updated"] = scope.now
    return product


@route("DELETE", "/v1/products/{id}")
def delete_product(scope: Scope, params: Obj, identifier: str) -> Obj:
    product = scope.get("product", identifier)
    if scope.all("price", product=identifier):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    scope.store.delete(scope.account, "product", identifier)
    scope.emit("product.deleted", product)
    return {"id": identifier, "object": "product", "deleted": True}


retrieval("/v1/products/{id}", "product")
listing("/v1/products", "product", {"active": bool, "created": CREATED})
