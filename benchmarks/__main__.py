"""`make bench`: how fast this hub is here, beside what it is measured against, in one run. Medians of five.

`make bench SHORT=1` measures once, on the smaller sizes.
"""

from __future__ import annotations

import argparse
import os
import platform

from benchmarks import edge, load, product


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", choices=["edge", "rooms", "product"])
    asked = parser.parse_args()
    rounds, seconds = (1, 1.0) if asked.short else (5, 2.0)
    load.build()
    busy = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}; load average at the start {busy:.1f}")
    if asked.only in (None, "edge"):
        edge.broadcast((500, 2_000) if asked.short else (500, 2_000, 10_000), rounds, seconds)
    if asked.only in (None, "rooms"):
        edge.small_rooms(min(rounds, 3), seconds)
    if asked.only in (None, "product"):
        product.product(rounds, 3.0 if asked.short else 6.0)


if __name__ == "__main__":
    main()
