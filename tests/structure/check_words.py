"""Fails when a public name is not in docs/words.md, or a word there is used nowhere.

    check_words.py ROOT          compares options and fields of the headers, of Python, of serinus.h and of the schemas
    check_words.py ROOT --list   prints every name and where it is
    check_words.py --self-test   checks that the check can fail
"""

import ast
import collections
import json
import pathlib
import re
import sys

from trees import wrong_cases

# Words that were given up, by what replaced them; and where a file may still have one, with the reason.
OLD = {
    "arl": "run_length",
    "n_opt": "tuned_at",
    "nan": "nan_policy",
    "control": "baseline",
    "experiment": "canary",
    "treatment": "canary",
}
STRUCT = re.compile(r"^struct (\w+)\b[^;{]*\{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
VISIT = re.compile(r'\bvisit\("(\w+)"')
UNIT = re.compile(r"(?<=\w)_(ms|seconds)$")  # of a bare number; the word is the same
MEMBER = re.compile(r"^    (?! )[\w:<>, \*]+? (\w+)(?: = [^;(]*(?:\([^;]*\))?[^;]*|\{[^;]*)?;", re.MULTILINE)
# Made by Serinus, and by nobody else.
NOT_CONSTRUCTED = {"Calibration", "Error", "Indicators", "Replay"}
# Structs that a person writes or reads; states are read by programs.
PUBLIC_STRUCT = re.compile(r"(Options|Result|Noise|Design)$|^(Proportion|Rate|RatioSeries|Series)$")
PUBLIC_FLOORS = ("core", "series", "fixed", "sequential", "slo", "rollout", "delivery", "io", "report")


def cpp_names(root):
    for path in sorted((root / "include" / "serinus").rglob("*.hpp")):
        if "detail" in path.parts or path.relative_to(root / "include" / "serinus").parts[0] not in PUBLIC_FLOORS:
            continue
        for name, body in STRUCT.findall(path.read_text(encoding="utf-8")):
            if name.endswith("State"):
                continue
            described = VISIT.findall(body)
            if not described and PUBLIC_STRUCT.search(name):
                body = re.sub(r"//.*", "", body)
                described = [member for member in MEMBER.findall(body)
                             if not re.search(rf"\b(static|return|using|friend)\b.*\b{member}\b", body)]
            for word in described:
                yield word, f"{path.relative_to(root)}: {name}"


def public_python(base):
    """The names that the packages list or import for their users."""
    names = set()
    for path in base.rglob("__init__.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
            elif isinstance(node, ast.alias):
                names.add(node.name)
    return {name for name in names if name.isidentifier() and not name.startswith("_")}


def python_names(root):
    base = root / "bindings" / "python" / "serinus"
    public = public_python(base)
    for path in sorted(base.rglob("*.py")):
        shown = path.relative_to(root)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name not in public:
                continue
            if isinstance(node, ast.FunctionDef):
                yield from ((word, f"{shown}: {node.name}") for word in parameters(node))
                continue
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    yield part.target.id, f"{shown}: {node.name}"
                elif isinstance(part, ast.FunctionDef) and (part.name == "__init__" or not part.name.startswith("_")):
                    if part.name != "__init__" or node.name not in NOT_CONSTRUCTED:
                        yield from ((word, f"{shown}: {node.name}.{part.name}") for word in parameters(part))


def parameters(function):
    given = function.args
    for argument in given.posonlyargs + given.args + given.kwonlyargs:
        if argument.arg not in ("self", "cls") and not argument.arg.startswith("_"):
            yield argument.arg


def c_names(root):
    text = re.sub(r"/\*.*?\*/", "", (root / "include" / "serinus.h").read_text(encoding="utf-8"), flags=re.DOTALL)
    for body in re.findall(r"typedef struct[^{;]*\{(.*?)\}", text, re.DOTALL):
        yield from ((word, "include/serinus.h") for word in re.findall(r"(\w+)(?:\[\w+\])?;", body))


def schema_names(root):
    def walk(value, where):
        if isinstance(value, dict):
            if isinstance(value.get("properties"), dict):
                yield from ((word, where) for word in value["properties"])
            for part in value.values():
                yield from walk(part, where)
        elif isinstance(value, list):
            for part in value:
                yield from walk(part, where)

    for path in sorted((root / "data" / "schema").glob("*.json")):
        yield from walk(json.loads(path.read_text(encoding="utf-8")), f"data/schema/{path.name}")


def names_of(root):
    names = collections.defaultdict(list)
    for source in (cpp_names, python_names, c_names, schema_names):
        for word, where in source(root):
            word = UNIT.sub("", word)
            if not word.startswith("_") and where not in names[word]:
                names[word].append(where)
    return names


def known_words(root):
    """The words in the first column of the tables of docs/words.md."""
    known = []
    for line in (root / "docs" / "words.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            known += [UNIT.sub("", word) for word in re.findall(r"`(\w+)`", line.split("|")[1])]
    return known


def check(root):
    names, known = names_of(root), known_words(root)
    problems = [f"docs/words.md: {word} is there twice" for word in sorted(set(known)) if known.count(word) > 1]
    for word, places in sorted(names.items()):
        if word in OLD:
            problems.append(f"{places[0]}: {word} is an old word; now it is {OLD[word]}")
        elif word == "alpha_promote":
            problems += [f"{place}: alpha_promote is a plan's word; a test has alpha_safe" for place in places
                         if "rollout" not in place and "plan.schema" not in place]
        if word not in known:
            problems.append(f"{places[0]}: {word} is not in docs/words.md")
    problems += [f"docs/words.md: {word} is used nowhere" for word in sorted(set(known) - names.keys())]
    if not names:
        problems.append(f"{root}: no name at all")
    return problems


def self_test():
    clean = {
        "include/serinus/fixed/a.hpp": "struct AOptions {\n    double alpha = 0.05;\n    Margin margin = {.ratio = 1.0};\n};\n",
        "include/serinus/rollout/b.hpp": 'struct B {\n    int x;\n    static void describe(V& visit, Self& self) { visit("weight", self.x); }\n};\n',
        "include/serinus.h": "typedef struct a {\n    double u; /* not; */\n} a;\n",
        "bindings/python/serinus/__init__.py": "from .sequential._a import A\n",
        "bindings/python/serinus/sequential/_a.py": "class A:\n    df: float\n    def __init__(self, baseline): pass\ndef _f(hidden): pass\n",
        "data/schema/plan.schema.json": '{"properties": {"stages": {"properties": {"min": {}}}}}',
        "docs/words.md": "| word | is |\n|---|---|\n| `alpha`, `margin`, `weight` | x |\n| `u`, `df`, `baseline` | x |\n| `stages`, `min` | x |\n",
    }
    without = clean["docs/words.md"]
    cases = {
        "clean": ({}, None),
        "a member": ({"docs/words.md": without.replace("`margin`, ", "")}, "margin is not in"),
        "a description": ({"docs/words.md": without.replace(", `weight`", "")}, "weight is not in"),
        "a keyword": ({"docs/words.md": without.replace(", `baseline`", "")}, "baseline is not in"),
        "a field of Python": ({"docs/words.md": without.replace("`df`, ", "")}, "df is not in"),
        "a field of C": ({"docs/words.md": without.replace("`u`, ", "")}, "u is not in"),
        "a key": ({"docs/words.md": without.replace(", `min`", "")}, "min is not in"),
        "a word too many": ({"docs/words.md": without + "| `more` | x |\n"}, "more is used nowhere"),
        "a word twice": ({"docs/words.md": without + "| `u` | x |\n"}, "u is there twice"),
        "an old word": ({"data/schema/plan.schema.json": '{"properties": {"arl": {}, "stages": {}, "min": {}}}'}, "arl is an old word"),
    }
    return wrong_cases(check, {name: (clean | files, expected) for name, (files, expected) in cases.items()})


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    root = pathlib.Path(sys.argv[1])
    if sys.argv[2:] == ["--list"]:
        for word, places in sorted(names_of(root).items()):
            print(f"{word:<24} {', '.join(places)}")
        return 0
    problems = check(root)
    print("\n".join(problems) or "every name is a word of docs/words.md")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
