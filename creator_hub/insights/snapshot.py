"""The costly looks at a group, kept by a worker for the dashboard: who stays, who will renew, who may leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from creator_hub.core import clock
from creator_hub.core.schemas import wire_money
from creator_hub.groups.models import Group
from creator_hub.insights import charts, risk, staying
from creator_hub.insights.models import Snapshot
from creator_hub.insights.reading import Moment, moment_of

GOOD_FOR = timedelta(hours=1)
AT_RISK_KEPT, DISCOUNT = 10, 0.10


def take(session: Session, group: Group) -> bool:
    """Look, unless the last look is young enough; the caller holds the group's progress."""
    last = session.get(Snapshot, group.id, populate_existing=True)
    if last is not None and clock.now() - last.made_at < GOOD_FOR:
        return False
    moment = moment_of(session, group)
    found = {"made_at": moment.as_of, "body": _look(session, group, moment)}
    made = insert(Snapshot).values(group_id=group.id, **found)
    session.execute(made.on_conflict_do_update(index_elements=["group_id"], set_=found))
    return True


def latest(session: Session, group: Group) -> Snapshot | None:
    return session.get(Snapshot, group.id)


def _look(session: Session, group: Group, moment: Moment) -> dict[str, Any]:
    curves = staying.survival(session, group, moment, "tier")
    renewals = staying.forecast(session, group, moment, DISCOUNT)
    flagged = risk.members_at_risk(session, group, moment)
    hits = risk.hit_rate(session, group, moment)
    return {
        "survival": {
            "names": [named.name for named in curves.curves],
            "points": [[day, *shares] for day, shares in charts.survival_points(curves)],
            "p": curves.log_rank.p if curves.log_rank else None,
        },
        "forecast": {
            "note": renewals.note,
            "periods": [[row.period, row.actual, row.fitted] for row in renewals.periods],
            "remaining_value": wire_money(renewals.remaining_value) if renewals.remaining_value else None,
        },
        "at_risk": {
            "count": len(flagged),
            "first": [
                {"user_id": str(row.user_id), "score": row.score, "reasons": list(row.reasons)}
                for row in flagged[:AT_RISK_KEPT]
            ],
            "hit_rate": {name: getattr(hits, name) for name in risk.HitRate.__slots__},
        },
    }
