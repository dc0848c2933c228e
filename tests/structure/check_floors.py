"""Fails when an #include runs up the floors, or a public header shows what only the compiled part may use.

    check_floors.py ROOT         checks the tree
    check_floors.py --self-test  checks that each rule can fail
"""

import pathlib
import re
import sys
import tempfile

FLOORS = {
    "core": 0,
    "numeric": 1,
    "series": 2,
    "fixed": 3, "sequential": 3,
    "slo": 4, "batch": 4,
    "rollout": 5,
    "io": 6, "report": 6,
}
HEADER_ONLY = {"core", "numeric", "series", "fixed", "sequential", "slo"}
FACES = {"cli", "server"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
UMBRELLAS = {"serinus.hpp", "serinus.h"}


def folder_of(include):
    """The floor that an include names: <serinus/core/error.hpp> or, inside src/, "core/x.hpp"."""
    parts = include.split("/")
    if parts[0] == "serinus" and len(parts) > 2:
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in FLOORS else None


def check_file(shown, folder, text, public):
    problems = []
    for quote, include in INCLUDE.findall(text):
        target = folder_of(include)
        if target in FACES or (include in UMBRELLAS):
            problems.append(f"{shown}: {include} is a face, above every floor")
        elif target is not None and target not in FLOORS:
            problems.append(f"{shown}: {include} is on no floor of the house")
        elif target is not None and target != folder and FLOORS[target] >= FLOORS[folder]:
            problems.append(f"{shown}: {folder} must not know {target} ({include})")
        elif target is None and public and quote == "<" and "/" in include and folder in HEADER_ONLY:
            if include.split("/")[0] not in ("Eigen", "boost"):
                problems.append(f"{shown}: headers of {folder} may use the standard library, Boost and Eigen, not {include}")
    return problems


def check(root):
    problems, seen = [], 0
    for base, public in ((root / "include" / "serinus", True), (root / "src", False)):
        for path in sorted(base.rglob("*")) if base.is_dir() else []:
            if path.suffix not in (".hpp", ".h", ".cpp", ".def"):
                continue
            shown, folder = path.relative_to(root), path.relative_to(base).parts[0]
            text = path.read_text(encoding="utf-8")
            seen += 1
            if public and "nlohmann" in text:
                problems.append(f"{shown}: a public header must not show nlohmann")
            if folder in FLOORS:
                problems += check_file(shown, folder, text, public)
            elif public:
                problems.append(f"{shown}: {folder} is on no floor of the house")
    for name in sorted(UMBRELLAS):
        path = root / "include" / name
        if path.is_file() and "nlohmann" in path.read_text(encoding="utf-8"):
            problems.append(f"include/{name}: a public header must not show nlohmann")
    umbrella = root / "include" / "serinus.hpp"
    listed = {name for _, name in INCLUDE.findall(umbrella.read_text(encoding="utf-8"))} if umbrella.is_file() else set()
    for path in sorted((root / "include" / "serinus").rglob("*.hpp")):
        name = path.relative_to(root / "include").as_posix()
        if "/detail/" not in name and name not in listed:
            problems.append(f"include/serinus.hpp: does not include {name}")
    if not seen:
        problems.append(f"{root}: no source at all")
    return problems


def self_test():
    cases = {
        "a clean tree": ({"include/serinus/fixed/a.hpp": "#include <vector>\n#include <boost/x.hpp>\n#include <serinus/core/b.hpp>\n",
                          "include/serinus/core/b.hpp": "#pragma once\n",
                          "src/io/a.cpp": "#include <nlohmann/json.hpp>\n#include <serinus/rollout/c.hpp>\n",
                          "include/serinus/rollout/c.hpp": "#include <serinus/slo/d.hpp>\n",
                          "include/serinus/slo/d.hpp": ""}, False),
        "up": ({"include/serinus/core/a.hpp": "#include <serinus/series/b.hpp>\n", "include/serinus/series/b.hpp": ""}, True),
        "sideways": ({"include/serinus/fixed/a.hpp": " #  include <serinus/sequential/b.hpp>\n",
                      "include/serinus/sequential/b.hpp": ""}, True),
        "siblings in src": ({"src/io/a.cpp": '#include "report/b.hpp"\n'}, True),
        "umbrella": ({"src/io/a.cpp": "#include <serinus.hpp>\n"}, True),
        "face": ({"src/rollout/a.cpp": '#include <serinus/cli/b.hpp>\n'}, True),
        "third party": ({"include/serinus/slo/a.hpp": "#include <fmt/core.h>\n"}, True),
        "nlohmann": ({"include/serinus/io/a.hpp": "#include <nlohmann/json_fwd.hpp>\n"}, True),
        "nlohmann in the umbrella": ({"src/io/a.cpp": "", "include/serinus.hpp": "// nlohmann\n"}, True),
        "unknown floor": ({"include/serinus/attic/a.hpp": ""}, True),
        "not in the umbrella": ({"include/serinus/core/a.hpp": "", "include/serinus.hpp": "// none\n"}, True),
        "empty": ({}, True),
    }
    wrong = 0
    for name, (files, should_fail) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            headers = [f for f in files if f.startswith("include/serinus/")]
            whole = {"include/serinus.hpp": "".join(f"#include <{f[len('include/'):]}>\n" for f in headers), **files}
            for file, text in whole.items():
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).write_text(text, encoding="utf-8")
            problems = check(root)
        if bool(problems) != should_fail:
            wrong += 1
            print(f"self-test \"{name}\": expected {'a problem' if should_fail else 'none'}, found {problems}")
    return wrong


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) or "every include runs down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
