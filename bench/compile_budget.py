"""Counts what a compiler has to read for each of a few headers, and compares it with bench/compile_budget.json.

    python3 bench/compile_budget.py              a line a header; exit code 1 if one is over its budget
    python3 bench/compile_budget.py --update     records what was counted
    python3 bench/compile_budget.py --self-test  the comparison can fail

Counted are lines of code after preprocessing, without comments and blanks: those of Serinus, which are the same on every
machine; all of them, and the files of Boost, which depend on the compiler and on Boost and are compared where these are
as recorded. A header that needs no Boost must stay so everywhere. Seconds are not compared: they depend on the load.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BUDGET = Path(__file__).with_name("compile_budget.json")
TOLERANCE = 0.10

# What others include, and each floor of the statistics in one.
HEADERS = [
    "serinus/rollout/plan.hpp",
    "serinus/rollout/decision.hpp",
    "serinus/rollout/monitor.hpp",
    "serinus/io/plan.hpp",
    "serinus/io/decision.hpp",
    "serinus/report/text.hpp",
    "serinus/fixed/mann_whitney.hpp",
    "serinus/sequential/proportion.hpp",
    "serinus/slo/burn_rate.hpp",
    "serinus.hpp",
]
FLOORS = ["core", "numeric", "series", "fixed", "sequential", "slo"]

Count = dict[str, int]


def source(name: str) -> str:
    """A file that includes a header, or all public ones of a floor."""
    if name not in FLOORS:
        return f"#include <{name}>\n"
    headers = sorted((ROOT / "include" / "serinus" / name).rglob("*.hpp"))
    return "".join(f"#include <{header.relative_to(ROOT / 'include').as_posix()}>\n" for header in headers)


def preprocess(compiler: str, text: str, *options: str) -> str:
    command = [compiler, "-std=c++20", "-E", "-x", "c++", f"-I{ROOT / 'include'}", *options, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def count(preprocessed: str) -> Count:
    """Lines of Serinus, lines in all, and files of Boost."""
    own = lines = 0
    boost = set()
    inside = False
    for line in preprocessed.splitlines():
        marker = re.match(r'# \d+ "([^"]+)"', line)
        if marker:
            inside = marker[1].startswith(str(ROOT / "include"))
            if "/boost/" in marker[1]:
                boost.add(marker[1])
        elif line.strip() and not line.startswith("#"):
            lines += 1
            own += inside
    return {"serinus": own, "all": lines, "boost": len(boost)}


def compare(recorded: dict[str, Any], build: dict[str, str], counted: dict[str, Count]) -> tuple[list[str], int]:
    """A line a header, and how many are over their budget."""
    budget: dict[str, Count] = recorded["headers"]
    same = recorded["build"] == build
    lines = [] if same else [f"recorded with {recorded['build']}, here {build}: only Serinus' own lines are compared"]
    failed = 0
    for name in counted.keys() | budget.keys():
        if name not in counted or name not in budget:
            verdict = "FAILED: not in both lists (./dev check --update-budget)"
        else:
            verdict = ""
            for what, found in counted[name].items():
                allowed = budget[name][what]
                verdict += f"{what} {found:>7,}  "
                if what == "boost" and allowed == 0 and found > 0:
                    verdict += "FAILED: needs no Boost by its budget  "
                elif (same or what == "serinus") and found > allowed * (1 + TOLERANCE):
                    verdict += f"FAILED: the budget is {allowed:,} (./dev check --update-budget)  "
        failed += "FAILED" in verdict
        lines.append(f"{name:<34} {verdict.rstrip()}")
    return sorted(lines), failed


def self_test() -> None:
    here, elsewhere = {"compiler": "gcc 12"}, {"compiler": "clang 16"}
    recorded = {"build": here, "headers": {"a": {"serinus": 100, "all": 1000, "boost": 0}}}
    for build, counted, wanted in [
        (here, {"a": {"serinus": 110, "all": 1100, "boost": 0}}, 0),
        (here, {"a": {"serinus": 111, "all": 1000, "boost": 0}}, 1),
        (here, {"a": {"serinus": 100, "all": 1101, "boost": 0}}, 1),
        (here, {"a": {"serinus": 100, "all": 1000, "boost": 1}}, 1),
        (here, {}, 1),
        (here, {"a": {"serinus": 1, "all": 1, "boost": 0}, "b": {"serinus": 1, "all": 1, "boost": 0}}, 1),
        (elsewhere, {"a": {"serinus": 100, "all": 2000, "boost": 0}}, 0),
        (elsewhere, {"a": {"serinus": 111, "all": 1000, "boost": 0}}, 1),
        (elsewhere, {"a": {"serinus": 100, "all": 1000, "boost": 1}}, 1),
    ]:
        assert compare(recorded, build, counted)[1] == wanted, (build, counted)
    counted = count(f'# 1 "{ROOT}/include/serinus.hpp"\nint a;\n\n# 1 "/usr/include/boost/b.hpp" 1\nint b;\nint c;\n')
    assert counted == {"serinus": 1, "all": 3, "boost": 1}, counted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--update", action="store_true", help="record what was counted as the new budget")
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    if given.self_test:
        self_test()
        return 0
    macros = preprocess(given.compiler, "#include <boost/version.hpp>\n", "-dM")
    version = {key: value for key, value in re.findall(r"#define (__VERSION__|BOOST_LIB_VERSION) (.*)", macros)}
    build = {"compiler": version["__VERSION__"].strip('"'), "boost": version["BOOST_LIB_VERSION"].strip('"')}
    counted = {name: count(preprocess(given.compiler, source(name))) for name in HEADERS + FLOORS}
    if given.update:
        BUDGET.write_text(json.dumps({"build": build, "headers": counted}, indent=2) + "\n")
        print(f"recorded {len(counted)} headers in {BUDGET.name}")
        return 0
    lines, failed = compare(json.loads(BUDGET.read_text()), build, counted)
    print("\n".join(lines))
    if failed:
        print(f"{failed} over budget", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
