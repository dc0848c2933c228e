"""Fails when a page names a file or a test that is not there, or links to nothing.

    check_pages.py ROOT         checks README.md, CONTRIBUTING.md and docs/
    check_pages.py --self-test  checks that the check can fail

Links are checked on every page, named paths on the pages that are maps. NAME in a path, and `_NAME`, stand for any name. A
test is named with its file, `tests/unit/a_test.cpp Suite.Name` or `tests/cli/a_test.py test_name`, on every page.
"""

import pathlib
import re
import sys

from trees import wrong_cases

MAPS = {"docs/adding.md", "docs/architecture.md", "CONTRIBUTING.md"}
PATH = re.compile(r"`((?:include|src|tests|docs|data|bindings|bench|examples|cmake|tools)/[^`\s]*)(?: --[^`]*)?`")
TEST = re.compile(r"`(tests/[\w/]+\.(?:cpp|py)) ([\w.]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Where an example of what a list asks for need not exist.
OPEN = {"data/samples/NAME"}


def headings(text):
    """The anchors that GitHub gives the headings of a page."""
    found = set()
    for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"))
    return found


def has_test(path, name):
    """Whether a file has the test of that name."""
    if not path.is_file():
        return False
    suite, _, test = name.rpartition(".")
    written = rf"TEST(?:_F|_P)?\({suite}, {test}\)" if path.suffix == ".cpp" else rf"def {test}\("
    return bool(re.search(written, path.read_text(encoding="utf-8")))


def check(root):
    problems, pages = [], [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    seen = 0
    for page in pages:
        if not page.is_file():
            continue
        seen += 1
        shown, text = page.relative_to(root).as_posix(), page.read_text(encoding="utf-8")
        prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        for file, test in TEST.findall(prose):
            if not has_test(root / file, test):
                problems.append(f"{shown}: the test {test} is not in {file}")
        for link in LINK.findall(prose):
            target, _, anchor = link.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            path = (page.parent / target).resolve() if target else page
            if not path.exists():
                problems.append(f"{shown}: {link} leads nowhere")
            elif anchor and path.suffix == ".md" and anchor not in headings(path.read_text(encoding="utf-8")):
                problems.append(f"{shown}: {link} leads to no heading")
        if shown in MAPS:
            for named in PATH.findall(prose):
                pattern = re.sub(r"<[^>]+>", "*", named.replace("NAME", "*")).rstrip("/")
                if named not in OPEN and not any(root.glob(pattern)):
                    problems.append(f"{shown}: {named} is not there")
    if not seen:
        problems.append(f"{root}: no page at all")
    return problems


def self_test():
    cases = {
        "clean": ({"README.md": "# A b\n[a](docs/adding.md#one-thing) [b](https://x/y)\n",
                   "docs/adding.md": "## One thing\n`src/x/NAME.cpp` `src/x/` [up](../README.md#a-b)\n", "src/x/a.cpp": ""}, None),
        "a dead link": ({"README.md": "[a](docs/b.md)\n"}, "leads nowhere"),
        "a dead anchor": ({"README.md": "# A\n[a](#b)\n"}, "leads to no heading"),
        "a missing file": ({"docs/adding.md": "`src/x.cpp`\n"}, "src/x.cpp is not there"),
        "no example of a name": ({"docs/adding.md": "`src/kinds/NAME.hpp`\n"}, "is not there"),
        "tests that are there": ({"README.md": "`tests/a_test.cpp A.B` `tests/a_test.py test_b`\n",
                                  "tests/a_test.cpp": "TEST(A, B) {\n", "tests/a_test.py": "def test_b():\n"}, None),
        "a test that is not there": ({"README.md": "`tests/a_test.cpp A.C`\n", "tests/a_test.cpp": "TEST(A, B) {\n"},
                                     "the test A.C is not in tests/a_test.cpp"),
        "nothing": ({}, "no page at all"),
    }
    return wrong_cases(check, cases)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) or "every page leads somewhere")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
