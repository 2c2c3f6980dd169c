"""Breaking ties so that anybody can repeat it.

Rule 1, where a method has rounds: the last earlier round in which the tied differ decides. Rule 2: the options in
ascending order of SHA-256(seed, a zero byte, option), as UTF-8; the first is best, the last is eliminated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from creator_hub.voting.tally.model import TieBreak

PREVIOUS_ROUNDS = "previous rounds"
DRAW = "sha256(tie_seed, 0x00, option), ascending"
BOTH = f"{PREVIOUS_ROUNDS}, then {DRAW}"
History = Sequence[Mapping[str, Fraction]]


class Draw:
    """Breaks the ties of one count and remembers those that decided something."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._made: list[TieBreak] = []

    @property
    def made(self) -> tuple[TieBreak, ...]:
        return tuple(self._made)

    def key(self, option: str) -> bytes:
        return hashlib.sha256(self._seed.encode() + b"\0" + option.encode()).digest()

    def rank(
        self, values: Mapping[str, Fraction], options: Iterable[str], *, cut: int = 0, history: History = ()
    ) -> list[str]:
        """Highest value first, ties broken. A tie is noted when it decides who stands before the `cut`."""
        order = sorted(options, key=lambda option: self._place(option, values, history))
        if 0 < cut < len(order) and values[order[cut - 1]] == values[order[cut]]:
            self._note([option for option in order if values[option] == values[order[cut]]], history)
        return order

    def lowest(self, values: Mapping[str, Fraction], options: Iterable[str], history: History) -> str:
        """The option to eliminate."""
        options = list(options)
        least = min(values[option] for option in options)
        tied = sorted(
            (option for option in options if values[option] == least),
            key=lambda option: self._place(option, values, history),
        )
        if len(tied) > 1:
            self._note(tied, history)
        return tied[-1]

    def first(self, values: Mapping[str, Fraction], options: Iterable[str], history: History) -> str:
        """The option to deal with first; a tie is noted."""
        return self.rank(values, options, cut=1, history=history)[0]

    def _place(self, option: str, values: Mapping[str, Fraction], history: History) -> tuple[object, ...]:
        earlier = tuple(-totals.get(option, Fraction(0)) for totals in reversed(history))
        return (-values[option], earlier, self.key(option))

    def _note(self, order: Sequence[str], history: History) -> None:
        pasts = {tuple(totals.get(option) for totals in history) for option in order}
        rule = DRAW if len(pasts) == 1 else PREVIOUS_ROUNDS if len(pasts) == len(order) else BOTH
        self._made.append(TieBreak(tuple(sorted(order)), rule, tuple(order)))
