"""Fails when the page about decisions shows other rules than src/rollout/rules.def, the list that the monitor goes by.

    check_rules.py ROOT          checks the table of docs/concepts/decisions.md, and that rules name codes that there are
    check_rules.py ROOT --write  writes the table
    check_rules.py --self-test   checks that the check can fail
"""

import pathlib
import re
import sys

START = "<!-- written by tests/structure/check_rules.py from src/rollout/rules.def -->\n"
END = "<!-- end of what check_rules.py writes -->\n"
TEXT = r'"((?:[^"\\]|\\.)*)"'
RULE = re.compile(rf"^SERINUS_RULE\((\w+), (\w+), {TEXT}\)$", re.MULTILINE)
RULE_OF = re.compile(rf"^SERINUS_RULE_OF\((\w+), (\w+), {TEXT}, {TEXT}\)$", re.MULTILINE)
REASON = re.compile(r"^SERINUS_REASON\((\w+),", re.MULTILINE)
ACTIONS = ["rollback", "promote", "hold"]


def rules(definition):
    """(action, what is said, when), in the order in which they win"""
    found = [(m.start(), m[1], f"`{m[2]}`", m[3]) for m in RULE.finditer(definition)]
    found += [(m.start(), m[1], m[3], m[4]) for m in RULE_OF.finditer(definition)]
    return [(action, said, when.replace('\\"', '"')) for _, action, said, when in sorted(found)]


def table(definition):
    lines = ["| | decision | when | reason |\n|---|---|---|---|\n"]
    for number, (action, said, when) in enumerate(rules(definition), 1):
        lines.append(f"| {number} | {action} | {when} | {said} |\n")
    return "".join(lines)


def check(definition, codes, page):
    problems = []
    found = rules(definition)
    if not found or definition.count("\nSERINUS_") != len(found):
        problems.append("rules.def: no rule, or a line that is neither SERINUS_RULE(...) nor SERINUS_RULE_OF(...) as they should be")
    known = set(REASON.findall(codes))
    problems += [f"rules.def: {m[2]} is no reason of core/code.def" for m in RULE.finditer(definition) if m[2] not in known]
    order = [action for action, _, _ in found]
    if any(action not in ACTIONS for action in order) or order != sorted(order, key=ACTIONS.index):
        problems.append("rules.def: the rules of an action must stand together, rollback first, hold last")
    before, _, rest = page.partition(START)
    written, closed, after = rest.partition(END)
    if not closed:
        problems.append("decisions.md: the two marking comments are missing")
        return problems, page
    right = table(definition)
    if written != right:
        problems.append("decisions.md: its table differs from rules.def; `check_rules.py ROOT --write` writes it")
    return problems, before + START + right + END + after


def self_test():
    codes = 'SERINUS_REASON(a, 1, rollout, "sentence")\n'
    definition = '//\nSERINUS_RULE_OF(rollback, b, "c", "d \\"e\\"")\nSERINUS_RULE(hold, a, "when")\n'
    good = START + '| | decision | when | reason |\n|---|---|---|---|\n| 1 | rollback | d "e" | c |\n| 2 | hold | when | `a` |\n' + END
    swapped = "\n".join(["//"] + definition.split("\n")[2:0:-1]) + "\n"
    cases = [
        (definition, codes, good, 0),
        (definition, codes, good.replace("when", "then"), 1),
        (definition, codes, "", 1),
        (definition, "", good, 1),
        (definition.replace("(hold,", "(hold ,"), codes, good, 2),
        (swapped, codes, check(swapped, codes, good)[1], 1),
    ]
    return sum(len(check(text, known, page)[0]) != expected for text, known, page, expected in cases)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    root = pathlib.Path(sys.argv[1])
    page = root / "docs" / "concepts" / "decisions.md"
    text = page.read_text(encoding="utf-8")
    problems, right = check(
        (root / "src/rollout/rules.def").read_text(encoding="utf-8"),
        (root / "include/serinus/core/code.def").read_text(encoding="utf-8"),
        text,
    )
    if sys.argv[2:] == ["--write"]:
        if right != text:
            page.write_text(right, encoding="utf-8")
        return 0
    print("\n".join(problems) or "docs/concepts/decisions.md agrees with rules.def")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
