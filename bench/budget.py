"""Counts the instructions of each kernel of bench/budget.cpp and compares them with bench/budget.json.

    python3 bench/budget.py PROGRAM           a line a kernel; exit code 1 if one is over its budget
    python3 bench/budget.py PROGRAM --update  records what was counted
    python3 bench/budget.py --self-test       the comparison can fail

The counts are callgrind's, of the kernel alone. They do not depend on the load, the clock or the caches of the machine;
what they depend on is fixed here (the C library's choice of memcpy by processor) or written into budget.json (compiler
and Boost, whose sorts are inlined). Under another compiler or Boost the tolerance is wider, and said so: the code that
a compiler makes differs, a wrong algorithm or a lost vectorisation still shows. On another processor, or without AVX2,
nothing can be compared, and that is a failure, not a pass.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BUDGET = Path(__file__).with_name("budget.json")
# Over the budget by more than this share fails: the same compiler, another one.
TOLERANCE = 0.05
OTHER_TOLERANCE = 0.30

# memcpy, memset and the functions of libm are taken in their oldest form, whatever the processor could do.
ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-FMA,-FMA4,-ERMS,-FSRM,-SSSE3,-SSE4_1,"
    "-SSE4_2,-BMI1,-BMI2,-Fast_Unaligned_Copy,-Fast_Unaligned_Load,-AVX_Fast_Unaligned_Load",
    "LC_ALL": "C",
    "PATH": os.environ.get("PATH", ""),
}


def count(program: str, kernel: str) -> int:
    """Instructions of one run of a kernel."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind.out"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out}", program, kernel],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"budget: {kernel} failed under valgrind:\n{done.stderr}")
        total = re.search(r"^totals: (\d+)", out.read_text(), re.MULTILINE)
        counted = int(total.group(1)) if total else 0
        if counted == 0:
            raise SystemExit(f"budget: nothing was counted of {kernel}")
        return counted


def told(program: str, question: str) -> str:
    # Under valgrind, since what it offers of the processor may be less.
    command = ["valgrind", "--tool=none", "-q", program, question]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout


def compare(recorded: dict[str, Any], build: dict[str, Any], counted: dict[str, int]) -> tuple[list[str], int]:
    """A line a kernel, and how many are over their budget."""
    budget: dict[str, int] = recorded["instructions"]
    lines = []
    tolerance = TOLERANCE
    if recorded["build"] != build:
        tolerance = OTHER_TOLERANCE
        lines.append(f"recorded with {recorded['build']}, here {build}: more than +{tolerance:.0%} fails")
    failed = 0
    for name in sorted(budget.keys() | counted.keys()):
        if name not in counted:
            verdict = "FAILED: no such kernel any more (./dev check --update-budget)"
        elif name not in budget:
            verdict = "FAILED: no budget (./dev check --update-budget)"
        else:
            change = counted[name] / budget[name] - 1
            verdict = f"{counted[name]:>12,}  {change:+7.2%}"
            if counted[name] > budget[name] * (1 + tolerance):
                verdict += f"  FAILED: the budget is {budget[name]:,}"
            elif change < -TOLERANCE:
                verdict += "  less: record it, or the gain can be lost unseen (./dev check --update-budget)"
        failed += "FAILED" in verdict
        lines.append(f"{name:<34} {verdict}")
    return lines, failed


def self_test() -> None:
    here, elsewhere = {"compiler": "gcc 12.2.0"}, {"compiler": "clang 16.0.6"}
    recorded = {"build": here, "instructions": {"sort": 1000}}
    for build, counted, wanted in [
        (here, {"sort": 1000}, 0),
        (here, {"sort": 1050}, 0),
        (here, {"sort": 1051}, 1),
        (here, {"sort": 500}, 0),
        (here, {}, 1),
        (here, {"sort": 1000, "merge": 1}, 1),
        (elsewhere, {"sort": 1300}, 0),
        (elsewhere, {"sort": 1301}, 1),
    ]:
        assert compare(recorded, build, counted)[1] == wanted, (build, counted)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", help="serinus_budget")
    parser.add_argument("--update", action="store_true", help="record what was counted as the new budget")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    if given.self_test:
        self_test()
        return 0
    if given.program is None:
        parser.error("which program?")

    build = json.loads(told(given.program, "--build"))
    names = told(given.program, "--list").split()
    if build["processor"] != "x86_64" or not build["avx2"]:
        print(f"budget: counted on x86_64 with AVX2 only; here: {build}", file=sys.stderr)
        return 1
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        counted = dict(zip(names, pool.map(lambda name: count(given.program, name), names)))

    if given.update:
        BUDGET.write_text(json.dumps({"build": build, "instructions": counted}, indent=2) + "\n")
        print(f"recorded {len(counted)} kernels in {BUDGET}")
        return 0

    lines, failed = compare(json.loads(BUDGET.read_text()), build, counted)
    print("\n".join(lines))
    if failed:
        print(f"{failed} over budget", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
