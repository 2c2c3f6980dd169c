#!/usr/bin/env python3
"""Count a closed poll again, from its published ballots alone. Python 3.9 or newer, nothing to install.

    python3 recount.py poll.json ballots.csv [result.json] [--receipt YOURS]

poll.json    GET /api/v1/polls/{id}             the question, the method, the options
ballots.csv  GET /api/v1/polls/{id}/ballots.csv
result.json  GET /api/v1/polls/{id}/result      compared with the recount, when given

It shares no code with the hub. Ties are broken as docs/votes.md says: earlier rounds first, where there are rounds,
then SHA-256 of the poll's id, a zero byte and the option's id, ascending.
"""

import csv
import hashlib
import json
import sys
from fractions import Fraction


def main(arguments):
    receipt = None
    if "--receipt" in arguments:
        at = arguments.index("--receipt")
        receipt = arguments[at + 1]
        del arguments[at : at + 2]
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    with open(arguments[0], encoding="utf-8") as file:
        poll = json.load(file)
    with open(arguments[1], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len({row["receipt"] for row in rows}) != len(rows):
        sys.exit("WRONG: a receipt appears twice.")
    ids = {option["text"]: option["id"] for option in poll["options"]}
    texts = {option: text for text, option in ids.items()}
    found = {}
    for name in ("raw", "weighted"):
        ballots = [(Fraction(row["weight"]) if name == "weighted" else Fraction(1), row["ballot"]) for row in rows]
        order = Recount(poll, ids, ballots).order()
        found[name] = order[: poll["seats"]] if rows else []
        print(f"{name:>8}: " + " > ".join(texts[option] for option in order))
        print(f"          elected: {', '.join(texts[option] for option in found[name]) or 'nobody'}")
    print(f" ballots: {len(rows)}")
    if receipt is not None:
        mine = [row for row in rows if row["receipt"] == receipt]
        print("    your ballot: " + (mine[0]["ballot"] if mine else "NOT THERE"))
    return compare(poll, arguments[2], found, len(rows)) if len(arguments) == 3 else 0


def compare(poll, path, found, ballots):
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    problems = []
    if result["turnout"] != ballots:
        problems.append(f"{result['turnout']} people voted, {ballots} ballots are published")
    if result["quorum_met"] != (ballots >= (poll["quorum"] or 0)):
        problems.append("the quorum is judged wrongly")
    if set(found["raw"]) != set(found["weighted"]) and not result["differs"] and not result.get("weights_rounded"):
        problems.append("weights elect others, and the result does not say so")
    if result["quorum_met"] and result["winner_ids"] != found["weighted"]:
        if result.get("weights_rounded"):
            print("    note: rare weights are rounded in this file, and with them others would be elected")
        else:
            problems.append("others were elected")
    if not result["differs"] and result["quorum_met"] and set(result["winner_ids"]) != set(found["raw"]):
        problems.append("the unweighted ballots elect others")
    print("  result: " + ("; ".join(problems).upper() if problems else "agrees with the recount"))
    return 1 if problems else 0


class Recount:
    def __init__(self, poll, ids, ballots):
        self.poll, self.options = poll, list(ids.values())
        self.method = poll["method"]
        self.ballots = [(weight, self._by_id(json.loads(text), ids)) for weight, text in ballots]

    def order(self):
        by = {"score": self.score, "star": self.star, "irv": self.runoff, "stv": self.transfer, "schulze": self.pairs}
        return by.get(self.method, self.choices)()

    @staticmethod
    def _by_id(ballot, ids):
        if "choices" in ballot:
            return [ids[text] for text in ballot["choices"]]
        if "scores" in ballot:
            return {ids[text]: points for text, points in ballot["scores"].items()}
        return [[ids[text] for text in rank] for rank in ballot["ranking"]]

    def draw(self, option):
        return hashlib.sha256(self.poll["id"].encode() + b"\0" + option.encode()).hexdigest()

    def ranked(self, totals, options=None, history=()):
        """Best first: the total, then the totals of earlier rounds from the last back, then the draw."""
        return sorted(
            self.options if options is None else options,
            key=lambda o: (-totals[o], [-past.get(o, 0) for past in reversed(history)], self.draw(o)),
        )

    def choices(self):
        totals = dict.fromkeys(self.options, Fraction(0))
        for weight, chosen in self.ballots:
            for option in chosen:
                totals[option] += weight
        return self.ranked(totals)

    def scores(self):
        totals = dict.fromkeys(self.options, Fraction(0))
        for weight, scores in self.ballots:
            for option, points in scores.items():
                totals[option] += weight * points
        return totals

    def score(self):
        return self.ranked(self.scores())

    def star(self):
        totals = self.scores()
        first, second, *rest = self.ranked(totals)
        runoff = {first: Fraction(0), second: Fraction(0)}
        for weight, scores in self.ballots:
            lead = scores.get(first, 0) - scores.get(second, 0)
            if lead:
                runoff[first if lead > 0 else second] += weight
        return self.ranked(runoff, [first, second], [totals]) + rest

    def pairs(self):
        options, last = self.options, len(self.options)
        prefer = {(a, b): Fraction(0) for a in options for b in options if a != b}
        for weight, ranking in self.ballots:
            place = {option: n for n, rank in enumerate(ranking) for option in rank}
            for a, b in prefer:
                if place.get(a, last) < place.get(b, last):
                    prefer[a, b] += weight
        path = {(a, b): prefer[a, b] if prefer[a, b] > prefer[b, a] else Fraction(0) for a, b in prefer}
        for m in options:
            for a in options:
                for b in options:
                    if len({a, b, m}) == 3:
                        path[a, b] = max(path[a, b], min(path[a, m], path[m, b]))
        return self.ranked({a: sum(path[a, b] > path[b, a] for b in options if b != a) for a in options})

    def runoff(self):
        standing, gone, history = list(self.options), [], []
        while True:
            totals = dict.fromkeys(standing, Fraction(0))
            for weight, ranking in self.ballots:
                holder = next((option for (option,) in ranking if option in totals), None)
                if holder is not None:
                    totals[holder] += weight
            order = self.ranked(totals, standing, history)
            if len(standing) == 1 or totals[order[0]] * 2 > sum(totals.values()):
                return order + gone[::-1]
            history.append(totals)
            standing.remove(order[-1])
            gone.append(order[-1])

    def transfer(self):
        """STV by the Scottish rules with exact fractions. A ballot stays with an elected option until its surplus is
        passed on; then every ballot there is scaled, and moves to the next option that stands."""
        seats = self.poll["seats"]
        quota = sum((weight for weight, _ in self.ballots), Fraction(0)) // (seats + 1) + 1
        standing, elected, gone, waiting, history = list(self.options), [], [], [], []
        at = [[weight, ranking, None] for weight, ranking in self.ballots]
        kept = {}

        def move(ballots):
            for ballot in ballots:
                ballot[2] = next((option for (option,) in ballot[1] if option in standing), None)

        move(at)
        while True:
            totals = {option: Fraction(0) for option in standing + elected}
            totals.update(kept)
            for weight, _, option in at:
                if option is not None and option not in kept:
                    totals[option] += weight
            reached = [option for option in standing if totals[option] >= quota]
            if len(standing) <= seats - len(elected):
                reached = list(standing)
            reached = self.ranked(totals, reached, history)
            standing = [option for option in standing if option not in reached]
            elected += reached
            waiting += [option for option in reached if totals[option] > quota]
            if len(elected) == seats:
                return elected + self.ranked(totals, standing, history) + gone[::-1]
            if len(standing) == seats - len(elected):
                history.append(totals)
            elif waiting:
                history.append(totals)
                giver = self.ranked(totals, waiting, history)[0]
                waiting.remove(giver)
                moved = [ballot for ballot in at if ballot[2] == giver]
                for ballot in moved:
                    ballot[0] *= (totals[giver] - quota) / totals[giver]
                move(moved)
                kept[giver] = Fraction(quota)
            else:
                loser = self.ranked(totals, standing, history)[-1]
                history.append(totals)
                standing.remove(loser)
                gone.append(loser)
                move([ballot for ballot in at if ballot[2] == loser])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
