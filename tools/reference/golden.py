"""What the scripts of this folder share: reading a golden file, computing its cases again, comparing, writing.

A golden file of data/reference is JSON:

    {"made_by": "tools/reference/fixed.py",
     "note": "what the data are, whose numbers they are",
     "sources": {"scipy brunnermunzel": {"package": "SciPy 1.17.1", "licence": "BSD-3-Clause",
                                         "command": "scipy.stats.brunnermunzel(x, y, ...)",
                                         "rtol": 1e-9, "reason": "why no less, why no more"}},
     "cases": [{"source": "scipy brunnermunzel", ...inputs, options and outputs}]}

`rtol` (beside it, for numbers near zero, `atol`) is the relative tolerance at which Serinus is held against the source and, unless `rtol_recomputed` gives another,
at which the source, run again, is held against the file. Not-a-number and the infinities are the strings NaN, Infinity and -Infinity, since JSON has no numbers
for them.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, Callable

DATA = Path(__file__).resolve().parents[2] / "data" / "reference"


class Unavailable(Exception):
    """A package that this machine does not have."""


def load(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def to_json(value: Any) -> Any:
    """Plain numbers, lists and strings, whatever NumPy or fractions made."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value.replace("Infinity", "inf"))
    return value


def distance(found: Any, kept: Any, atol: float = 0.0) -> float:
    """The largest relative difference between two results, but for `atol`; infinite where they are not of one shape."""
    if isinstance(kept, dict):
        if not isinstance(found, dict):
            return math.inf
        return max((distance(found.get(key), item, atol) for key, item in kept.items()), default=0.0)
    if isinstance(kept, list):
        if not isinstance(found, list) or len(found) != len(kept):
            return math.inf
        return max((distance(a, b, atol) for a, b in zip(found, kept)), default=0.0)
    if isinstance(kept, bool) or isinstance(kept, str) or kept is None or isinstance(found, (str, bool)) or found is None:
        return 0.0 if found == kept else math.inf
    if found == kept:
        return 0.0
    return max(0.0, abs(found - kept) - atol) / max(abs(found), abs(kept))


def write(name: str, golden: dict[str, Any]) -> None:
    """One case a line, so that a change shows as the cases that changed."""
    lines = ["{"]
    for key, value in golden.items():
        if key in ("cases", "datasets", "sources"):
            continue
        lines.append(f"{json.dumps(key)}: {json.dumps(value)},")
    if "sources" in golden:
        body = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in golden["sources"].items())
        lines.append('"sources": {\n' + body + "\n},")
    body = ",\n".join(f"  {json.dumps(case)}" for case in golden["cases"])
    lines.append('"cases": [\n' + body + "\n]}")
    (DATA / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


Compute = Callable[[dict[str, Any], dict[str, Any]], Any]


def main(names: list[str], compute: Compute) -> int:
    """`compute(case, golden)` gives members of a case again, by name, or raises Unavailable."""
    parser = argparse.ArgumentParser(description="Computes golden files again and compares, or writes them.")
    parser.add_argument("--write", action="store_true", help="write what was found in place of what is kept")
    parser.add_argument("files", nargs="*", default=names, help="below data/reference; default: all of this script")
    arguments = parser.parse_args()
    worse = 0
    for name in arguments.files:
        golden = load(name)
        found: dict[str, tuple[int, float]] = {}
        missing: dict[str, str] = {}
        for case in golden["cases"]:
            source = case["source"]
            try:
                outputs = to_json(compute(case, golden))
            except Unavailable as error:
                missing[source] = str(error)
                continue
            far = distance(outputs, {key: case[key] for key in outputs}, golden["sources"][source].get("atol", 0.0))
            count, largest = found.get(source, (0, 0.0))
            found[source] = (count + 1, max(largest, far))
            if arguments.write:
                case.update(outputs)
        for source, (count, largest) in sorted(found.items()):
            allowed = golden["sources"][source].get("rtol_recomputed", golden["sources"][source]["rtol"])
            fails = largest > allowed
            worse += fails
            print(f"{name}: {source}: {count} cases, largest difference {largest:.2g}" + (f", above {allowed:g}" if fails else ""))
        for source, why in sorted(missing.items()):
            print(f"{name}: {source}: not computed: {why}")
        if arguments.write:
            write(name, golden)
    return 1 if worse else 0
