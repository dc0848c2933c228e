"""Fails when the C interface or the docs name other codes than core/code.def, the one place where they are defined.

    check_codes.py ROOT          checks include/serinus.h and docs/codes.md, and that no number or name is used twice
    check_codes.py ROOT --write  writes the list into both
    check_codes.py --self-test   checks that the check can fail
"""

import pathlib
import re
import sys

START = "    /* written by tests/structure/check_codes.py from serinus/core/code.def */\n"
END = "    /* end of what check_codes.py writes */\n"
ERROR = re.compile(r'^SERINUS_ERROR\((\w+), (\d+), "([^"]*)", "([^"]*)"\)', re.MULTILINE)
REASON = re.compile(r'^SERINUS_REASON\((\w+), (\d+), (\w+),\s*"((?:[^"\\]|\\.)*)"\)', re.MULTILINE)


def block(definition):
    lines = []
    for identifier, number, _, when in ERROR.findall(definition):
        lines.append(f"    /** {when} */\n    SERINUS_ERROR_{identifier.upper()} = {number},\n")
    return "".join(lines)[:-2] + "\n"


def page(definition):
    """docs/codes.md"""
    lines = [
        "# Codes\n\n",
        "Every code that Serinus gives, written by `./dev format` from `include/serinus/core/code.def`. Numbers and names never change.\n\n",
        "## Errors\n\nA broken precondition: an exception in C++ and Python, a status in C, exit code 2 of the program.\n\n",
        "| code | number | when |\n|---|---|---|\n",
    ]
    lines += [f"| `{name}` | {number} | {when} |\n" for _, number, name, when in ERROR.findall(definition)]
    lines.append("\n## Reasons\n\nWhy a verdict or a decision is what it is. `{x}` is the number called x, `{x%}` a percentage, `{x~}` a duration, `{x interval}` so many intervals, `{x!}` all digits of a number.\n\n")
    lines.append("| code | number | group | sentence |\n|---|---|---|---|\n")
    lines += [f"| `{name}` | {number} | {group} | {sentence} |\n" for name, number, group, sentence in REASON.findall(definition)]
    return "".join(lines)


def check(definition, header):
    errors, reasons = ERROR.findall(definition), REASON.findall(definition)
    problems = []
    if not errors:
        problems.append("code.def: no error at all")
    numbers = [int(row[1]) for row in errors + reasons]
    names = [row[0] for row in errors + reasons] + [row[2] for row in errors]
    for kind, values in (("number", numbers), ("name", names)):
        problems += [f"code.def: {kind} {value} is used twice" for value in sorted({v for v in values if values.count(v) > 1})]
    before, _, rest = header.partition(START)
    written, found, after = rest.partition(END)
    if not found:
        problems.append("serinus.h: the two marking comments are missing")
        return problems, header
    right = block(definition)
    if written != right:
        problems.append("serinus.h: its errors differ from code.def; `check_codes.py ROOT --write` writes them")
    return problems, before + START + right + END + after


def self_test():
    definition = 'SERINUS_ERROR(a_b, 10, "serinus.a.b", "when")\nSERINUS_REASON(c, 11, evidence, "sentence")\n'
    good = START + "    /** when */\n    SERINUS_ERROR_A_B = 10\n" + END
    cases = [
        (definition, good, 0),
        (definition, good.replace("10", "12"), 1),
        (definition, "", 1),
        (definition + 'SERINUS_ERROR(d, 11, "serinus.d", "when")\n', check(
            definition + 'SERINUS_ERROR(d, 11, "serinus.d", "when")\n', START + END)[1], 1),
        ("", good, 2),
    ]
    return sum(len(check(text, header)[0]) != expected for text, header, expected in cases)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    root = pathlib.Path(sys.argv[1])
    path = root / "include" / "serinus.h"
    header = path.read_text(encoding="utf-8")
    definition = (root / "include/serinus/core/code.def").read_text(encoding="utf-8")
    problems, right = check(definition, header)
    docs = root / "docs" / "codes.md"
    if sys.argv[2:] == ["--write"]:
        if right != header:
            path.write_text(right, encoding="utf-8")
        docs.write_text(page(definition), encoding="utf-8")
        return 0
    if not docs.exists() or docs.read_text(encoding="utf-8") != page(definition):
        problems.append("docs/codes.md differs from code.def; `check_codes.py ROOT --write` writes it")
    # A definition that neither pattern sees would be missing from everything that is made from the list.
    if definition.count("\nSERINUS_") != len(ERROR.findall(definition)) + len(REASON.findall(definition)):
        problems.append("code.def: a line that is neither SERINUS_ERROR(...) nor SERINUS_REASON(...) as they should be")
    print("\n".join(problems) or "serinus.h and docs/codes.md agree with code.def")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
