"""What a chart draws, from the same rows as the table behind it. Pixels may be floats, amounts in tables never are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _

from creator_hub.core.money import decimals
from creator_hub.insights.cohorts import Cohort
from creator_hub.insights.staying import Survival

CURVE_STEP_DAYS, MOST_POINTS = 30, 25


def lines(rows: Sequence[Any], label: str, series: Mapping[str, str]) -> dict[str, Any]:
    """`series`: shown name → attribute of the rows; `label`: the attribute that names them."""
    return {
        "labels": [str(getattr(row, label)) for row in rows],
        "series": [{"name": name, "values": [getattr(row, field) for row in rows]} for name, field in series.items()],
        "unit": "",
    }


def money_line(rows: Sequence[Any], label: str, name: str, field: str, currency: str) -> dict[str, Any]:
    values = [getattr(row, field).minor / 10 ** decimals(currency) for row in rows]
    return {
        "labels": [str(getattr(row, label)) for row in rows],
        "series": [{"name": name, "values": values}],
        "unit": currency,
    }


def cohort_heat(rows: Sequence[Cohort]) -> dict[str, Any]:
    return {
        "rows": [
            {"label": f"{row.cohort:%Y-%m}", "size": row.size, "values": [n / row.size for n in row.retained]}
            for row in rows
        ]
    }


def survival_points(found: Survival) -> list[tuple[int, list[float]]]:
    """Each curve read off every thirty days, for the drawing and its table; the file has every step."""
    longest = max((named.curve.times[-1] for named in found.curves if named.curve.times), default=0)
    count = min(MOST_POINTS, int(longest) // CURVE_STEP_DAYS + 2)
    days = [n * CURVE_STEP_DAYS for n in range(count)]
    return [(day, [round(named.curve.at(day), 4) for named in found.curves]) for day in days]


def survival_chart(found: Mapping[str, Any]) -> dict[str, Any]:
    """`found` as a snapshot keeps it: the names of the curves, and for each point its day and their shares."""
    return {
        "labels": [str(day) for day, *_shares in found["points"]],
        "series": [
            {"name": name, "values": [point[n] for point in found["points"]]}
            for n, name in enumerate(found["names"], 1)
        ],
        "unit": "",
    }


def forecast_chart(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "labels": [str(period) for period, _actual, _fitted in found["periods"]],
        "series": [
            {"name": name, "values": [row[n] for row in found["periods"]]}
            for n, name in ((1, _("As it happened")), (2, _("By the model")))
        ],
        "unit": "",
    }
