"""What the installed Stripe client says about its objects and parameters, read from its source.

The client is generated from Stripe's own specification: resource classes carry every field with its type and every
enum value, `stripe.params` the request parameters, the services which route takes and returns what.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import stripe
from stripe._object_classes import OBJECT_CLASSES

ROOT = Path(stripe.__file__).parent
PRIMITIVES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "float": (int, float),
    "Decimal": (str,),
}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / (module.removeprefix("stripe.").replace(".", "/") + ".py")).read_text())


@cache
def imports(module: str) -> dict[str, tuple[str, str]]:
    """Local name → (module, name) for every `from stripe… import …`, also under TYPE_CHECKING."""
    found = {}
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe."):
            for alias in node.names:
                found[alias.asname or alias.name] = (str(node.module), alias.name)
    return found


@dataclass(frozen=True)
class Shape:
    """A class of the client: where it is, and the classes it may refer to by bare name."""

    module: str
    node: ast.ClassDef
    outer: tuple[ast.ClassDef, ...] = ()

    @property
    def fields(self) -> dict[str, ast.expr]:
        return {
            item.target.id: item.annotation
            for item in self.node.body
            if isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and item.target.id != "OBJECT_NAME"
            and not item.target.id.startswith("_")
        }

    def named(self, name: str) -> Shape | None:
        for scope in (self.node, *self.outer):
            for item in scope.body:
                if isinstance(item, ast.ClassDef) and item.name == name:
                    return Shape(self.module, item, (scope, *self.outer))
        for item in tree(self.module).body:
            if isinstance(item, ast.ClassDef) and item.name == name:
                return Shape(self.module, item)
        if name in imports(self.module):
            return class_of(*imports(self.module)[name])
        return None


@cache
def class_of(module: str, name: str) -> Shape | None:
    for node in tree(module).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return Shape(module, node)
    return None


def object_shape(kind: str) -> Shape | None:
    return class_of(*OBJECT_CLASSES[kind]) if kind in OBJECT_CLASSES else None


def parts_of(annotation: ast.expr) -> tuple[str, list[ast.expr]]:
    """(head, arguments) of an annotation; quoted ones are read, `A|B` counts as a union."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return parts_of(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.BinOp):
        return "Union", [*_sides(annotation)]
    if isinstance(annotation, ast.Subscript):
        inner = annotation.slice
        return ast.unparse(annotation.value), list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    return ast.unparse(annotation), []


def _sides(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        yield from _sides(node.left)
        yield from _sides(node.right)
    else:
        yield node


# Checking an answer


def object_mistakes(body: dict[str, Any], where: str = "") -> list[str]:
    """Everything in which an API object differs from the client's class for it."""
    kind = body.get("object")
    where = where or str(kind)
    if kind == "list":
        return [
            mistake for index, item in enumerate(body["data"]) for mistake in object_mistakes(item, f"{where}[{index}]")
        ]
    shape = object_shape(str(kind))
    return [f"{where}: unknown object {kind}"] if shape is None else _fields(body, shape, where)


def answer_mistakes(body: dict[str, Any], returns: str, where: str) -> list[str]:
    """How an answer differs from what its route's method promises: an object of a class, or a list of them."""
    kind = body.get("object")
    wanted = set(re.findall(r"\w+", returns)) - {"ListObject", "Union"}
    rows = body["data"] if returns.startswith("ListObject") else [body]
    mistakes = [] if (kind == "list") == returns.startswith("ListObject") else [f"{where}: {kind} for {returns}"]
    for row in rows:
        found = OBJECT_CLASSES.get(str(row.get("object")), ("", "nothing"))[1]
        if found not in wanted and not row.get("deleted"):
            mistakes.append(f"{where}: {found} where the client expects {returns}")
        if not row.get("deleted"):
            mistakes += object_mistakes(row, f"{where}>{row.get('object')}")
    return mistakes


def _fields(body: dict[str, Any], shape: Shape, where: str) -> list[str]:
    fields, mistakes = shape.fields, []
    for name in body:
        if name not in fields:
            mistakes.append(f"{where}.{name}: the client knows no such field")
    for name, annotation in fields.items():
        if name in body:
            mistakes += value_mistakes(body[name], annotation, shape, f"{where}.{name}")
        elif parts_of(annotation)[0] != "Optional":
            mistakes.append(f"{where}.{name}: missing")
    return mistakes


def value_mistakes(value: Any, annotation: ast.expr, shape: Shape, where: str) -> list[str]:
    head, arguments = parts_of(annotation)
    if head == "Optional":
        return [] if value is None else value_mistakes(value, arguments[0], shape, where)
    if head == "Any":
        return []
    if value is None:
        return [f"{where}: null where the client wants {ast.unparse(annotation)[:60]}"]
    if head == "Literal":
        allowed = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
        return [] if value in allowed else [f"{where}: {value!r} is none of {allowed[:12]}"]
    if head == "Union":
        return _union(value, arguments, shape, where)
    if head == "ExpandableField":
        return [] if isinstance(value, str) else value_mistakes(value, arguments[0], shape, where)
    if head in ("List", "ListObject"):
        rows = value.get("data") if head == "ListObject" and isinstance(value, dict) else value
        if not isinstance(rows, list):
            return [f"{where}: no list"]
        return [
            mistake
            for index, row in enumerate(rows)
            for mistake in value_mistakes(row, arguments[0], shape, f"{where}[{index}]")
        ]
    if head in ("UntypedStripeObject", "Dict"):
        if not isinstance(value, dict):
            return [f"{where}: no object"]
        return [
            mistake
            for key, item in value.items()
            for mistake in value_mistakes(item, arguments[-1], shape, f"{where}.{key}")
        ]
    return _plain(value, head, shape, where)


def _union(value: Any, arguments: list[ast.expr], shape: Shape, where: str) -> list[str]:
    """An open enum (`Literal | str`) counts as closed: a sandbox must not invent values."""
    kept = (
        [side for side in arguments if parts_of(side)[0] != "str"]
        if any(parts_of(side)[0] == "Literal" for side in arguments)
        else arguments
    )
    attempts = [value_mistakes(value, side, shape, where) for side in kept]
    return min(attempts, key=len)


def _plain(value: Any, head: str, shape: Shape, where: str) -> list[str]:
    if head in PRIMITIVES:
        wrong = not isinstance(value, PRIMITIVES[head]) or (head != "bool" and isinstance(value, bool))
        return [f"{where}: {value!r} is no {head}"] if wrong else []
    found = shape.named(head.strip("'\""))
    if found is None:
        return [f"{where}: cannot find {head}"]
    return _fields(value, found, where) if isinstance(value, dict) else [f"{where}: {value!r} is no {head}"]


# Routes and their parameters


@dataclass(frozen=True)
class ClientRoute:
    params: Shape | None
    returns: str


@cache
def client_routes() -> dict[tuple[str, str], ClientRoute]:
    """Every route the client can call: (METHOD, path with {}) → its parameters."""
    found = {}
    for path in sorted(ROOT.rglob("_*_service.py")):
        module = "stripe." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if module.startswith("stripe.v2"):
            continue
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef):
                found.update(_route_of(module, node))
    return found


def _route_of(module: str, function: ast.FunctionDef) -> dict[tuple[str, str], ClientRoute]:
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "self._request"):
            continue
        method, path = ast.literal_eval(node.args[0]), _path(node.args[1])
        annotation = next((item.annotation for item in function.args.args if item.arg == "params"), None)
        name = re.findall(r"\w+Params", ast.unparse(annotation)) if annotation else []
        shape = class_of(*imports(module)[name[0]]) if name else None
        returns = ast.unparse(function.returns) if function.returns else ""
        return {(method.upper(), path): ClientRoute(shape, returns.strip("'\""))}
    return {}


def _path(node: ast.expr) -> str:
    text = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else node
    return re.sub(r"\{\w+\}", "{}", str(ast.literal_eval(text)))


def param_mistakes(spec: dict[str, Any], shape: Shape | None, where: str) -> list[str]:
    """Parameters the sandbox accepts that the client cannot send, or reads as another type."""
    fields = shape.fields if shape else {}
    mistakes = []
    for name, kind in spec.items():
        bare = name.rstrip("*")
        if bare not in fields:
            if bare != "expand" or spec.get("expand") != [str]:
                mistakes.append(f"{where}.{bare}: the client cannot send it")
            continue
        assert shape is not None
        mistakes += kind_mistakes(kind, fields[bare], shape, f"{where}.{bare}")
    for name, annotation in fields.items():
        if parts_of(annotation)[0] != "NotRequired" and f"{name}*" not in spec and name in spec:
            mistakes.append(f"{where}.{name}: Stripe requires it")
    return mistakes


def kind_mistakes(kind: Any, annotation: ast.expr, shape: Shape, where: str) -> list[str]:
    head, arguments = parts_of(annotation)
    if head in ("NotRequired", "Optional"):
        return kind_mistakes(kind, arguments[0], shape, where)
    if head == "Union":
        return min((_kind(kind, side, shape, where) for side in arguments), key=len)
    return _kind(kind, annotation, shape, where)


def _kind(kind: Any, annotation: ast.expr, shape: Shape, where: str) -> list[str]:
    head, arguments = parts_of(annotation)
    wrong = [f"{where}: {kind!r} against {ast.unparse(annotation)[:80]}"]
    if isinstance(kind, tuple):
        allowed = {argument.value for argument in arguments if isinstance(argument, ast.Constant)}
        return [] if head == "Literal" and set(kind) <= allowed else [] if head == "str" and len(kind) == 1 else wrong
    if isinstance(kind, list):
        return kind_mistakes(kind[0], arguments[0], shape, f"{where}[]") if head == "List" else wrong
    if isinstance(kind, dict):
        found = shape.named(head.strip("'\""))
        if head in ("Dict", "UntypedStripeObject"):
            return []
        return wrong if found is None else param_mistakes(kind, found, where)
    if kind is str:
        return [] if head in ("str", "Literal") else wrong
    return [] if head == kind.__name__ else wrong
