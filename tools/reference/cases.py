"""data/cases/README.md: what each arm of each input counted, by hand: from the raw rows, without Serinus.

    python tools/reference/cases.py            prints a line for each input

Needs Python's own library. A cumulative counter's count is the sum of its increases, series by series, between the first
and the last time at which both of the arm's series have a sample. By its own rules, which are those of a person who
reads the rows: a fall to less than a tenth is a restart, after which all that it reads is new; any other fall lasts until
the former value is passed, five samples at most, and counts nothing; a series that is not there yet reads 0.
"""

from __future__ import annotations

import csv
import datetime
import json
import sys
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "data" / "cases"
ARMS = ("baseline", "canary")


def seconds(text: str) -> float:
    if "T" in text:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    return float(text)


def rows(path: Path):
    """Name, arm, what tells its series apart, time, value."""
    if path.suffix == ".csv":
        for row in csv.DictReader(path.open(encoding="utf-8")):
            yield row["series"], row["arm"], row.get("le") or "", seconds(row["timestamp"]), float(row["value"])
        return
    for name, answer in json.loads(path.read_text(encoding="utf-8")).items():
        for series in answer["data"]["result"]:
            track = series["metric"].get("track")
            arm = {"stable": "baseline", "canary": "canary"}.get(track)
            if arm is None:
                continue
            for time, value in series["values"]:
                yield name, arm, json.dumps(series["metric"], sort_keys=True), float(time), float(value)


def increase(samples: dict[float, float], first: float, last: float) -> float:
    total, high, below = 0.0, samples.get(first, 0.0), 0
    for time in sorted(time for time in samples if first < time <= last):
        value = samples[time]
        if value < high / 10:
            total, high, below = total + value, value, 0
        elif value >= high:
            total, high, below = total + value - high, value, 0
        else:
            below += 1
            if below == 5:
                high, below = value, 0
    return total


def counted(path: Path, bad: str, total: str, counter: bool) -> str:
    series: dict = defaultdict(lambda: defaultdict(dict))
    for name, arm, which, time, value in rows(path):
        series[name, arm][which][time] = value
    told = []
    for arm in ARMS:
        if not counter:
            sums = [sum(sum(of.values()) for of in series[name, arm].values()) for name in (bad, total)]
        else:
            times = [sorted({time for of in series[name, arm].values() for time in of}) for name in (bad, total)]
            first, last = min(times[1]), min(max(of) for of in times if of)
            sums = [sum(increase(of, first, last) for of in series[name, arm].values()) for name in (bad, total)]
        told.append(f"{arm} {sums[0]:,.0f} of {sums[1]:,.0f}")
    return "; ".join(told)


def slow(path: Path, bound: str) -> str:
    """The rest of all that came beside a bucket, where each row counts its own interval."""
    sums: dict = defaultdict(float)
    for name, arm, le, _, value in rows(path):
        sums[name, arm, le] += value
    return "; ".join(f"{arm} {sums['all', arm, ''] - sums['lat_bucket', arm, bound]:,.0f} of {sums['all', arm, '']:,.0f}"
                     for arm in ARMS)


def main() -> int:
    http, short = ("http_errors", "http_requests"), ("errors", "requests")
    for name, (bad, total), counter in (
            ("labels-code.json", short, True), ("counter-dips.csv", short, True),
            ("born-one-scrape-late.json", short, True), ("cum_early.csv", http, True),
            ("born-with-first-error.csv", http, True), ("sum-one-pod-restarts.json", http, True),
            ("by-instance-one-pod-restarts.json", http, True), ("scrape15-step10.csv", http, True),
            ("bad15.15.json", http, True), ("bad15.10.json", http, True), ("good.json", http, True),
            ("ne2.json", http, True), ("ne4.json", http, True), ("pods_raw.json", http, True),
            ("swapped.csv", http, False), ("zerocan.csv", http, False)):
        print(f"{name}: {counted(FOLDER / name, bad, total, counter)}")
    print(f"le.csv: {slow(FOLDER / 'le.csv', '0.1')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
