"""What makes a secret ballot stay secret after its close. docs/votes.md says the same to voters, with what remains.

While a box is open its ballots can be replaced, so the server must be able to find a person's. At the close that ends:
the box's key is destroyed, and all ballots and voters are written anew in one transaction, in an order that says
nothing. No row then carries a time, a sequence, a transaction or a place on disk of its own. Weights that few share
would name their owners, so they are averaged until at least `FEWEST_ALIKE` ballots share each.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from creator_hub.voting.models import Ballot

FEWEST_ALIKE = 5
SWEEP = "voting.sweep"
CENT = Decimal("0.01")


def rewrite(session: Session, box_id: uuid.UUID) -> bool:
    """Write the ballots and voters of a box anew; returns whether weights had to be rounded for it.

    Receipts look random to whoever has no key, so their order is as good as a shuffle; voters go by their ids.
    """
    counts = session.execute(
        select(Ballot.weight, func.count().label("times")).where(Ballot.box_id == box_id).group_by(Ballot.weight)
    ).all()
    shown = blurred({row.weight: row.times for row in counts})
    cases = " ".join(f"WHEN weight = {old} THEN {new}" for old, new in shown.items())  # decimals of ours, no input
    weight = f"CASE {cases} END" if cases else "weight"
    session.execute(
        text(
            "WITH gone AS (DELETE FROM ballots WHERE box_id = :box RETURNING receipt, box_id, weight, body) "  # noqa: S608
            f"INSERT INTO ballots (receipt, box_id, weight, body) SELECT receipt, box_id, {weight}, body "
            "FROM gone ORDER BY receipt"
        ),
        {"box": box_id},
    )
    session.execute(
        text(
            "WITH gone AS (DELETE FROM voters WHERE box_id = :box RETURNING box_id, user_id) "
            "INSERT INTO voters (box_id, user_id) SELECT box_id, user_id FROM gone ORDER BY user_id"
        ),
        {"box": box_id},
    )
    return any(old != new for old, new in shown.items())


def blurred(counts: Mapping[Decimal, int], fewest: int = FEWEST_ALIKE) -> dict[Decimal, Decimal]:
    """Weight → the weight that is shown. The rarest weight joins the rarer of its neighbours until each is shared by
    `fewest` ballots; those joined show their mean, to two decimals."""
    classes = [({weight}, number) for weight, number in sorted(counts.items())]
    while len(classes) > 1 and min(number for _, number in classes) < fewest:
        at = min(range(len(classes)), key=lambda n: classes[n][1])
        beside = min((n for n in (at - 1, at + 1) if 0 <= n < len(classes)), key=lambda n: classes[n][1])
        low, high = sorted((at, beside))
        joined = (classes[low][0] | classes[high][0], classes[low][1] + classes[high][1])
        classes[low : high + 1] = [joined]
    shown: dict[Decimal, Decimal] = {}
    for weights, number in classes:
        total = sum((weight * counts[weight] for weight in weights), Decimal(0))
        mean = (total / number).quantize(CENT, ROUND_HALF_UP) if len(weights) > 1 else next(iter(weights))
        shown.update(dict.fromkeys(weights, mean))
    return shown
