"""Fails when a doc comment of a public header says a cost in seconds or bytes: what it costs on which machine is in
docs/benchmarks.md; a comment says O(...).

    check_costs.py ROOT         checks include/
    check_costs.py --self-test  checks that the check can fail
"""

import pathlib
import re
import sys

from trees import wrong_cases

COST = re.compile(r"\d (ns|us|µs|microseconds?|nanoseconds?)\b|\d ?[KM]iB\b|(?:[Cc]ost|about|some) .*\d ms\b")


def check(root):
    problems, seen = [], 0
    for path in sorted((root / "include").rglob("*.h*")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            seen += 1
            comment = line.partition("//")[2]
            found = COST.search(comment)
            if found:
                problems.append(f"{path.relative_to(root)}:{number}: \"{found[0]}\" belongs into docs/benchmarks.md")
    if not seen:
        problems.append(f"{root}: no header at all")
    return problems


def self_test():
    cases = {"/// Cost: O(n).\nint x = 3;\n": None, "/// Cost: 5 ns a value.\n": "5 ns", "int x;  ///< 64 KiB\n": "4 KiB", "": "no header"}
    trees = {text: ({"include/a.hpp": text}, expected) for text, expected in cases.items()}
    return wrong_cases(check, trees)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) or "no cost is told in a comment")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
