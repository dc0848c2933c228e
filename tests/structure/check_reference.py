"""Fails when a golden file of data/reference does not say who computed its numbers, how, and how near Serinus must come.

    check_reference.py ROOT
    check_reference.py --self-test
"""

import json
import pathlib
import sys

from trees import wrong_cases

# Not numbers of others: our own bits, plans that are none, and states that Serinus wrote.
EXCEPT = {"broken_plans.json", "states"}
# These carry their source in another form.
WHOLE = {"sequential/rotation.json": "source", "slo/burn_rate.json": "producers", "fixed/datasets.json": "note"}
NEEDED = ("package", "licence", "command", "rtol", "reason")


def check(root):
    problems, seen = [], 0
    folder = root / "data" / "reference"
    for path in sorted(folder.rglob("*.json")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] in EXCEPT:
            continue
        seen += 1
        golden = json.loads(path.read_text(encoding="utf-8"))
        if name in WHOLE:
            if not golden.get(WHOLE[name]):
                problems.append(f"{name}: says nothing as {WHOLE[name]}")
            continue
        made_by = golden.get("made_by", "")
        if not made_by or not (root / made_by).is_file():
            problems.append(f"{name}: made_by is {made_by!r}, no script of this tree")
        sources = golden.get("sources", {})
        for source, told in sources.items():
            problems += [f"{name}: source {source} lacks {key}" for key in NEEDED if told.get(key) in (None, "")]
        used = set()
        for at, case in enumerate(golden.get("cases", [])):
            used.add(case.get("source"))
            if case.get("source") not in sources:
                problems.append(f"{name}: cases[{at}] has source {case.get('source')!r}, which is not described")
        problems += [f"{name}: source {source} has no case" for source in sources if source not in used]
        if not golden.get("cases"):
            problems.append(f"{name}: no case")
    if not seen:
        problems.append("data/reference: no golden file")
    return problems


def self_test():
    source = {"package": "a 1", "licence": "MIT", "command": "a.f(x)", "rtol": 0, "reason": "whole numbers"}
    good = {"made_by": "tools/a.py", "sources": {"a f": source}, "cases": [{"source": "a f"}]}
    tries = {
        "good": (good, None),
        "no script": ({**good, "made_by": "tools/b.py"}, True),
        "no reason": ({**good, "sources": {"a f": {**source, "reason": ""}}}, True),
        "unknown source": ({**good, "cases": [{"source": "a f"}, {"source": "a g"}]}, True),
        "no source": ({**good, "cases": [{}, {"source": "a f"}]}, True),
        "unused source": ({**good, "sources": {"a f": source, "a g": source}}, True),
        "no case": ({**good, "cases": []}, True),
    }
    trees = {
        name: ({"tools/a.py": "", "data/reference/a.json": json.dumps(golden)}, expected)
        for name, (golden, expected) in tries.items()
    }
    return wrong_cases(check, trees)


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(1 if self_test() else 0)
    found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "every number says where it is from")
    sys.exit(1 if found else 0)
