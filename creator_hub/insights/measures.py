"""What every figure means, said once: the tooltips and docs/measures.md come from here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """`source` is where the definition or the method is published; empty for what is counted plainly."""

    name: str
    meaning: str
    source: str = ""


MEASURES: dict[str, Measure] = {
    "members": Measure(
        "Members",
        "People who hold a tier now: paying, free, on trial, or in the grace after a payment that did not come.",
    ),
    "mrr": Measure(
        "Monthly recurring revenue (MRR)",
        "What the running payments come to in a month: a monthly payment once, a yearly one by its twelfth. "
        "Trials and the grace after a missed payment bring nothing. Summed by the year and rounded once.",
    ),
    "movement": Measure(
        "Movement of MRR",
        "New: somebody's first payment. Reactivation: paying again after a break. Expansion and contraction: "
        "paying more or less than just before. Churn: ceasing to pay. MRR at the end = at the start + new + "
        "reactivation + expansion − contraction − churn. Who pays late is churn when the money is missing and "
        "reactivation when it comes.",
    ),
    "gross_retention": Measure(
        "Gross revenue retention (GRR)",
        "Of the MRR a month began with, the part that was not lost: 1 − (contraction + churn beyond reactivation) "
        "÷ MRR at the start.",
    ),
    "net_retention": Measure(
        "Net revenue retention (NRR)",
        "MRR at the month's end without what is new, ÷ MRR at its start. Above 1 the members of before pay more now.",
    ),
    "arpu": Measure(
        "Revenue per paying member (ARPU)",
        "MRR ÷ paying members, both at the month's end.",
    ),
    "trial_conversion": Measure(
        "Trial conversion",
        "Of the trials that began in the month, the part that led to a payment without a break.",
    ),
    "joins": Measure(
        "Joins",
        "Comings from outside: into a free or a paid tier, for the first time or again.",
    ),
    "departures": Measure(
        "Departures",
        "Goings out of the group, and subscriptions that ended: by choice, because a payment failed (it ended "
        "after the grace), refunded or disputed, or banned. Who leaves while a paid time runs departs when it "
        "ends.",
    ),
    "churn_rate": Measure(
        "Churn rate",
        "Departures of the month ÷ members at its start.",
    ),
    "cohort": Measure(
        "Cohort",
        "The people who first paid (or first joined) in the same month or week. Retained: who of them pays (is a "
        "member) at the end of each month after; the running one: now. Revenue: what they paid in it less what "
        "was refunded in it.",
    ),
    "survival": Measure(
        "Survival of subscriptions",
        "The share of subscribers who are still subscribed so many days after their first payment. Who still is "
        "one counts as long as they have been watched, and no longer. The band is the 95 % interval on the "
        "log(−log) scale with Greenwood's variance; median: when half have gone.",
        "Kaplan & Meier, JASA 53 (1958); Kalbfleisch & Prentice (1980)",
    ),
    "log_rank": Measure(
        "Log-rank test",
        "Whether groups of subscribers leave at the same pace; p is how likely a difference as large is by chance "
        "alone.",
        "Mantel (1966); Peto & Peto (1972)",
    ),
    "forecast": Measure(
        "Forecast of renewals",
        "The shifted-beta-geometric model, fitted by maximum likelihood to the monthly subscribers who have had "
        "as many months as are shown: each leaves at a renewal with a chance of their own. Where churn does not "
        "fall with age the chance is the same for all, and the page says so.",
        "Fader & Hardie, Journal of Interactive Marketing 21 (2007)",
    ),
    "remaining_value": Measure(
        "Remaining value",
        "What a new monthly subscriber is still expected to pay after the first month, at today's ARPU, "
        "discounted at the stated rate by the year.",
        "Fader & Hardie, Marketing Science 29 (2010)",
    ),
    "active": Measure(
        "Active members",
        "Members (never the creator) who read something new, wrote, reacted, voted, proposed, liked or asked "
        "under their name: on a day, in the 7 and in the 30 days up to it. A day is the group's own.",
    ),
    "stickiness": Measure(
        "Stickiness",
        "Daily active members, averaged over the last 7 days, ÷ active in 30 days.",
    ),
    "returned": Measure(
        "Back after 1, 7, 30 days",
        "Of the people who joined in the last 90 days and have had that day since: who was active on exactly that day.",
    ),
    "creator_share": Measure(
        "In the creator's own words",
        "Messages written by the creator's own account ÷ all messages written. Moderators and bots do not count "
        "as the creator; a message that was deleted later was still written.",
    ),
    "reply_time": Measure(
        "Time until the creator replies",
        "The median time from a member's message to the creator's reply to it. Messages without a reply do not count.",
    ),
    "lurkers": Measure(
        "Lurkers who pay",
        "Paying members who came to read in the time and did nothing else.",
    ),
    "at_risk": Measure(
        "Members at risk",
        "Points: a late payment 3; not active for 14 days 2; half as many active days in the last 14 as in the 14 "
        "before 1; within 35 days of the first payment 1. From 2 points on somebody is listed. Beside it stands "
        "how the same rule did 30 days ago: how many of those it listed have left, and how many of the others.",
    ),
    "lift": Measure(
        "Lift of an invitation",
        "Invitations of a holdout go to a random part of a named list; the rest is not invited. Intent to treat: "
        "the difference in who was active in the last 7 days of its time, over everybody drawn. Complier effect: "
        "the same on those who come when invited. Members against others is no proof and is not shown.",
        "Newcombe (1998); Angrist, Imbens & Rubin (1996); Anderson & Rubin (1949)",
    ),
    "kept": Measure(
        "Promises kept",
        "Of the periods that were kept or missed, the part that was kept, over everything the group ever "
        "promised. Excused periods are neither, and are shown with their reason. Only the creator's own account "
        "is evidence.",
    ),
}


def as_document() -> str:
    """docs/measures.md."""
    parts = [
        "# Measures",
        "What the figures of a group mean. Days, weeks (from Monday) and months are those of the group's time zone. "
        "Facts follow what happened, also when news of it comes late; `retention rebuild` makes the same ones from the "
        "sources.",
    ]
    for measure in MEASURES.values():
        source = f"\n\nSource: {measure.source}." if measure.source else ""
        parts.append(f"## {measure.name}\n\n{measure.meaning}{source}")
    return "\n\n".join(parts) + "\n"
