"""Fails when the house is not as docs/architecture.md draws it: an #include that runs up the floors or into the private
part of another floor, a public header that shows what only the compiled part may use or that has no test, or a
serinus.hpp that is not exactly the public headers.

    check_floors.py ROOT          checks the tree
    check_floors.py ROOT --write  writes include/serinus.hpp
    check_floors.py --self-test   checks that each rule can fail

Every exception is written here, with its reason; one that is no longer needed is a problem as well.
"""

import pathlib
import re
import sys

from trees import wrong_cases

FLOORS = {
    "core": 0,
    "numeric": 1,
    "series": 2,
    "fixed": 3, "sequential": 3,
    "slo": 4, "batch": 4,
    "rollout": 5, "delivery": 5,
    "io": 6, "report": 6,
}
HEADER_ONLY = {"core", "numeric", "series", "fixed", "sequential", "slo"}
LIGHT = {"rollout", "delivery", "io", "report"}  # no Boost, however far the includes are followed
FACES = {"cli", "server"}
UMBRELLAS = {"serinus.hpp", "serinus.h"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

BOOST = {
    "numeric/special.hpp": "the only door to Boost.Math",
    "numeric/order.hpp": "the only door to Boost.Sort",
}
HEAVY = {
    "rollout/monitor_state.hpp": "holds the states of tests, which stand beside the tests",
    "rollout/spikes.hpp": "the quantile of Student's t is in it",
}
# (file, what it includes)
CROSSINGS = {
    ("bench/budget.cpp", "serinus/sequential/detail/likelihood_curve.hpp"): "counts its instructions by itself",
    ("bindings/python/src/command.cpp", "cli/options.hpp"): "the wheel's command runs the program's code",
}
TOGETHER = "boundaries_test.cpp asks the same of all boundaries"
NO_TEST = {
    "io/calibration.hpp": "io/decision_test.cpp and rollout/calibrate_test.cpp write and read it",
    "io/lint.hpp": "tests/cli/check_test.py reads what it writes",
    "report/calibration.hpp": "report/text_test.cpp holds all texts to its golden files",
    "report/lint.hpp": "tests/cli/check_test.py reads what it writes",
    "rollout/burn.hpp": "structs that rollout/slo_test.cpp and io/decision_test.cpp fill and read",
    "rollout/decision.hpp": "structs that rollout/monitor_test.cpp and io/decision_test.cpp fill and read",
    "rollout/monitor_state.hpp": "rollout/monitor_test.cpp and io/state_test.cpp stop and go on by it",
    "sequential/boundaries/beta_binomial.hpp": "boundaries_test.cpp holds all boundaries to one table",
    "sequential/boundaries/gamma_exponential.hpp": "boundaries_test.cpp holds all boundaries to one table",
    "sequential/boundaries/gamma_poisson.hpp": "boundaries_test.cpp holds all boundaries to one table",
    "sequential/boundaries/normal_mixture.hpp": "boundaries_test.cpp holds all boundaries to one table",
    "sequential/boundaries/stitching.hpp": "boundaries_test.cpp holds all boundaries to one table",
    "sequential/proportion_method.hpp": "an enum and its words, in sequential/proportion_test.cpp",
}

UMBRELLA = """\
#pragma once
/// \\file
/// The whole C++ interface of Serinus. Link serinus::serinus, which holds what batch, rollout, io and report compile.
/// Who needs the statistics alone includes the single headers of core, numeric, series, fixed, sequential and slo, and
/// links serinus::headers: nothing of Serinus is compiled for it. `./dev format` writes this list.

"""


def folder_of(include):
    """The floor that an include names: <serinus/core/error.hpp> or, inside src/, "core/x.hpp"."""
    parts = include.split("/")
    if parts[0] == "serinus" and len(parts) > 2:
        return parts[1]
    return parts[0] if len(parts) > 1 and parts[0] in FLOORS else None


def includes_of(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def public_headers(root):
    """Their paths below include/serinus/."""
    base = root / "include" / "serinus"
    names = [path.relative_to(base) for path in base.rglob("*.hpp")]
    return sorted(name.as_posix() for name in names if "detail" not in name.parts)


def umbrella(root):
    return UMBRELLA + "".join(f"#include <serinus/{name}>\n" for name in public_headers(root))


def check_floor(shown, folder, includes, public):
    """The includes of one file of a floor run down."""
    for quote, include in includes:
        target = folder_of(include)
        if target in FACES or include in UMBRELLAS:
            yield f"{shown}: {include} is a face, above every floor"
        elif target is not None and target not in FLOORS:
            yield f"{shown}: {include} is on no floor of the house"
        elif target is not None and target != folder and FLOORS[target] >= FLOORS[folder]:
            yield f"{shown}: {folder} must not know {target} ({include})"
        elif target is None and public and quote == "<" and "/" in include and folder in HEADER_ONLY:
            if not include.startswith("boost/"):
                yield f"{shown}: headers of {folder} may use the standard library and Boost, not {include}"
            elif "/".join(shown.parts[2:]) not in BOOST:
                yield f"{shown}: only {' and '.join(BOOST)} may include Boost ({include})"


def check_private(root, used):
    """Nobody includes the detail/ of another floor, or src/x/*.hpp from outside of src/x. Tests may look into detail/."""
    private = {path.relative_to(root / "src").as_posix() for path in (root / "src").rglob("*.hpp")}
    for top in ("include", "src", "bindings", "bench", "examples"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".hpp", ".h", ".cpp", ".c"):
                continue
            shown = path.relative_to(root)
            inside = top == "include" or top == "src"
            floor = path.relative_to(root / top / ("serinus" if top == "include" else "")).parts[0] if inside and \
                len(shown.parts) > (3 if top == "include" else 2) else None
            for _, include in includes_of(path):
                parts = include.split("/")
                hidden = parts[0] == "serinus" and "detail" in parts and parts[1] != floor
                hidden |= include in private and parts[0] != (shown.parts[1] if top == "src" else None)
                if not hidden:
                    continue
                crossing = (shown.as_posix(), include)
                used.add(crossing)
                if crossing not in CROSSINGS:
                    yield f"{shown}: {include} is private to {parts[1] if parts[0] == 'serinus' else parts[0]}"


def check_light(root, used):
    """Headers of the light floors reach no Boost by any way through our own headers."""
    base = root / "include" / "serinus"
    graph = {path.relative_to(base).as_posix(): [include for _, include in includes_of(path)]
             for path in base.rglob("*.hpp")}

    def way(name, seen):
        seen.add(name)
        for include in graph.get(name, []):
            if include.startswith("boost/"):
                return [name, include]
            further = include.removeprefix("serinus/")
            if further in graph and further not in seen:
                found = way(further, seen)
                if found:
                    return [name] + found
        return None

    for name in sorted(graph):
        found = way(name, set()) if name.split("/")[0] in LIGHT else None
        if found:
            used.add(name)
            if name not in HEAVY:
                yield f"include/serinus/{name}: includes Boost, by {' -> '.join(found)}"


def check_tests(root, used):
    """Every public header has a test of its stem, in the same folder below tests/unit."""
    for name in public_headers(root):
        test = root / "tests" / "unit" / f"{name.removesuffix('.hpp')}_test.cpp"
        if not test.is_file():
            used.add(name)
            if name not in NO_TEST:
                yield f"include/serinus/{name}: has no test {test.relative_to(root)}"


def check(root, crossings=CROSSINGS, heavy=HEAVY, no_test=NO_TEST):
    problems, seen = [], 0
    for base, public in ((root / "include" / "serinus", True), (root / "src", False)):
        for path in sorted(base.rglob("*")) if base.is_dir() else []:
            if path.suffix not in (".hpp", ".h", ".cpp", ".def"):
                continue
            shown, folder = path.relative_to(root), path.relative_to(base).parts[0]
            seen += 1
            if public and "nlohmann" in path.read_text(encoding="utf-8"):
                problems.append(f"{shown}: a public header must not show nlohmann")
            if folder in FLOORS:
                problems += check_floor(shown, folder, includes_of(path), public)
            elif public:
                problems.append(f"{shown}: {folder} is on no floor of the house")
    for name in sorted(UMBRELLAS):
        path = root / "include" / name
        if path.is_file() and "nlohmann" in path.read_text(encoding="utf-8"):
            problems.append(f"include/{name}: a public header must not show nlohmann")
    path = root / "include" / "serinus.hpp"
    if seen and (not path.is_file() or path.read_text(encoding="utf-8") != umbrella(root)):
        problems.append("include/serinus.hpp: is not what ./dev format writes")
    for allowed, rule in ((crossings, check_private), (heavy, check_light), (no_test, check_tests)):
        used = set()
        problems += rule(root, used)
        problems += [f"check_floors.py: the exception for {stale} is no longer needed" for stale in allowed
                     if stale not in used]
    if not seen:
        problems.append(f"{root}: no source at all")
    return problems


def self_test():
    cases = {
        "a clean tree": ({"include/serinus/numeric/order.hpp": "#include <vector>\n#include <boost/x.hpp>\n#include <serinus/core/b.hpp>\n",
                          "include/serinus/core/b.hpp": "#pragma once\n",
                          "include/serinus/core/detail/e.hpp": "",
                          "src/io/a.cpp": '#include <nlohmann/json.hpp>\n#include <serinus/rollout/c.hpp>\n#include "io/f.hpp"\n',
                          "src/io/f.hpp": "",
                          "tests/unit/core/g_test.cpp": "#include <serinus/core/detail/e.hpp>\n",
                          "include/serinus/rollout/c.hpp": "#include <serinus/slo/d.hpp>\n",
                          "include/serinus/slo/d.hpp": ""}, None),
        "up": ({"include/serinus/core/a.hpp": "#include <serinus/series/b.hpp>\n", "include/serinus/series/b.hpp": ""},
               "must not know series"),
        "sideways": ({"include/serinus/fixed/a.hpp": " #  include <serinus/sequential/b.hpp>\n",
                      "include/serinus/sequential/b.hpp": ""}, "must not know sequential"),
        "siblings in src": ({"src/io/a.cpp": '#include "report/b.hpp"\n'}, "must not know report"),
        "umbrella from below": ({"src/io/a.cpp": "#include <serinus.hpp>\n"}, "is a face"),
        "face": ({"src/rollout/a.cpp": '#include <serinus/cli/b.hpp>\n'}, "is a face"),
        "third party": ({"include/serinus/slo/a.hpp": "#include <fmt/core.h>\n"}, "not fmt/core.h"),
        "a third door to Boost": ({"include/serinus/fixed/a.hpp": "#include <boost/x.hpp>\n"}, "may include Boost"),
        "nlohmann": ({"include/serinus/io/a.hpp": "#include <nlohmann/json_fwd.hpp>\n"}, "must not show nlohmann"),
        "nlohmann in the umbrella": ({"src/io/a.cpp": "", "include/serinus.hpp": "// nlohmann\n"}, "must not show nlohmann"),
        "unknown floor": ({"include/serinus/attic/a.hpp": ""}, "on no floor"),
        "not in the umbrella": ({"include/serinus/core/a.hpp": "", "include/serinus.hpp": "// none\n"}, "./dev format"),
        "another floor's detail": ({"include/serinus/slo/a.hpp": "#include <serinus/core/detail/b.hpp>\n",
                                    "include/serinus/core/detail/b.hpp": ""}, "private to core"),
        "detail from src": ({"src/io/a.cpp": "#include <serinus/core/detail/b.hpp>\n",
                             "include/serinus/core/detail/b.hpp": ""}, "private to core"),
        "detail from an example": ({"src/io/a.cpp": "", "examples/x/main.cpp": "#include <serinus/core/detail/b.hpp>\n",
                                    "include/serinus/core/detail/b.hpp": ""}, "private to core"),
        "a private header": ({"src/cli/a.cpp": '#include "io/b.hpp"\n', "src/io/b.hpp": ""}, "private to io"),
        "a private header in the bindings": ({"bindings/python/src/a.cpp": '#include "io/b.hpp"\n', "src/io/b.hpp": ""},
                                             "private to io"),
        "Boost far below": ({"include/serinus/io/a.hpp": "#include <serinus/slo/b.hpp>\n",
                             "include/serinus/slo/b.hpp": "#include <serinus/numeric/special.hpp>\n",
                             "include/serinus/numeric/special.hpp": "#include <boost/math/x.hpp>\n"}, "includes Boost, by io/a"),
        "no test": ({"include/serinus/core/a.hpp": "", "tests/unit/core/a_test.cpp": None}, "has no test"),
        "empty": ({}, "no source at all"),
    }
    trees = {}
    for name, (files, expected) in cases.items():
        tests = {f"tests/unit/{file.removeprefix('include/serinus/').removesuffix('.hpp')}_test.cpp": ""
                 for file in files if file.startswith("include/serinus/")}
        trees[name] = (tests | files, expected)

    def check_tree(root):
        if any(root.iterdir()) and not (root / "include/serinus.hpp").exists():
            (root / "include").mkdir(exist_ok=True)
            (root / "include/serinus.hpp").write_text(umbrella(root), encoding="utf-8")
        stale = check(root, {("src/a.cpp", "b.hpp"): ""}, {}, {})
        assert any("no longer needed" in problem for problem in stale), "a stale exception was not seen"
        return check(root, {}, {}, {})

    return wrong_cases(check_tree, trees)


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    root = pathlib.Path(sys.argv[1])
    if sys.argv[2:] == ["--write"]:
        (root / "include" / "serinus.hpp").write_text(umbrella(root), encoding="utf-8")
    problems = check(root)
    print("\n".join(problems) or "the house is as it is drawn")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
