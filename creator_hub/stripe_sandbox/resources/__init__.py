"""Stripe's nouns, one file each. Importing one registers its routes and timers; `register` imports them all."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules


def register() -> None:
    for noun in iter_modules(__path__):
        import_module(f"{__name__}.{noun.name}")
