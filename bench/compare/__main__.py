"""Serinus beside what one could pick instead, in one run: `./dev bench --compare`."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

# Each library on the one core it is compared on; before any of them is loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

from harness import Native, Program, Tools, measure  # noqa: E402
from table import document, group, write  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dev bench --compare", description=__doc__)
    parser.add_argument("--native", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--go", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help="write the tables to a file, between its marks if it has them")
    parser.add_argument("--rows", default="", metavar="PATTERN", help="only groups whose name matches")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="a try: 3 rounds, short ones, a tenth of the data")
    given = parser.parse_args()
    rounds, least = (3, 0.005) if given.quick else (given.rounds, 0.05)

    rscript = shutil.which("Rscript")
    tools = Tools(
        native=Native(given.native),
        r=Program([rscript, "--vanilla", str(HERE / "peers.R")] if rscript else None, "Rscript is not there"),
        go=Program([str(given.go)] if given.go and given.go.exists() else None, "Go is not there"),
        quick=given.quick,
    )
    load = os.getloadavg()
    results = []
    for path in sorted((HERE / "rows").glob("*.py")):
        module = importlib.import_module(f"rows.{path.stem}")
        # Rows are made one after the other: the data of one are gone before the next one's are there.
        for row in module.rows(tools):
            if not re.search(given.rows, row.group):
                continue
            print(f"{row.group}, {row.work}", file=sys.stderr, flush=True)
            results.append(measure(row, rounds, least))
            print(group(row.group, results[-1:]).split("\n", 2)[2], file=sys.stderr, flush=True)
    tools.r.close()
    tools.go.close()
    text = document(tools.native, results, load, rounds)
    if given.output:
        write(given.output, text)
    else:
        print(text)


if __name__ == "__main__":
    main()
