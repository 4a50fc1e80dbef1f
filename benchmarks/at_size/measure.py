"""Measure one database and print what was found as JSON: ``python -m benchmarks.at_size.measure overview``."""

import argparse
import json
import sys

import django

django.setup()

from . import overview, ticks, viewers  # noqa: E402

PARTS = {"overview": overview.measure, "growth": overview.growth, "ticks": ticks.measure, "viewers": viewers.measure}


def main() -> None:
    """Measure one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--times", type=int, default=21)
    asked = parser.parse_args()
    for result in PARTS[asked.part](times=asked.times):
        json.dump(result.to_json(), sys.stdout)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
