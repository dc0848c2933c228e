"""The package itself: examples, types, words, and how long an import takes."""

from __future__ import annotations

import ast
import doctest
import importlib
import subprocess
import sys
import textwrap
import zlib
from importlib import metadata
from pathlib import Path

import pytest
import serinus
from serinus import _core, _words

# What a user downloads and keeps, in bytes: the compiled part as it is installed, and all files of the wheel deflated as
# in a zip. Compiled for speed and by pybind11's own `def` they were 8.4 MB and 3.9 MB (bindings/python/CMakeLists.txt,
# functions.hpp).
MOST_COMPILED = int(3.1 * 2**20)  # a debt: 3 MiB and 1.5 MiB were decided (ADR 27)
MOST_WHEEL = int(1.53 * 2**20)

MODULES = [
    "serinus",
    "serinus._errors",
    "serinus._fixed._counts",
    "serinus._fixed._distributions",
    "serinus._fixed._means",
    "serinus._fixed._ranks",
    "serinus._fixed._series",
    "serinus._fixed._several",
    "serinus._fixed._size",
    "serinus._rollout",
    "serinus.sequential",
    "serinus.sequential._boundaries",
    "serinus.sequential._combine",
    "serinus.sequential._counts",
    "serinus.sequential._group_sequential",
    "serinus.sequential._paired",
    "serinus.sequential._quantile",
    "serinus.slo",
    "serinus.slo._budget",
    "serinus.slo._deployment",
    "serinus.slo._rules",
]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0


PAGES = sorted(
    page
    for page in (Path(__file__).parents[2] / "docs" / "concepts").glob("*.md")
    if "\n>>> " in page.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_the_pages(page: Path) -> None:
    found = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert found.attempted > 0
    assert found.failed == 0


def test_import_loads_what_is_asked_for() -> None:
    """A time is never asserted: what takes it is, that is modules and classes that nobody may need."""
    program = """
    import sys
    import numpy
    before = set(sys.modules)
    import serinus
    print(*sorted(m for m in set(sys.modules) - before))
    """
    loaded = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], check=True, capture_output=True, text=True
    ).stdout.split()
    own = ["serinus", "serinus._core", "serinus._errors", "serinus._results"]
    assert [m for m in loaded if m.startswith("serinus")] == own
    assert not {"dataclasses", "pandas", "json"} & set(loaded)


def test_names_for_people_and_for_type_checkers_are_the_same() -> None:
    stub = ast.parse((Path(serinus.__file__).parent / "__init__.pyi").read_text())
    told = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told == set(serinus.__all__)
    assert set(serinus.__all__) <= set(dir(serinus))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        serinus.nothing  # type: ignore[attr-defined]
    for name in serinus.__all__:
        thing = getattr(serinus, name)
        if isinstance(thing, type) and name not in ("Error", "Monitor", "Plan") and name not in dir(_words):
            assert thing.__module__ == "serinus", name


def test_everything_public_is_there_and_documented() -> None:
    for name in serinus.__all__:
        assert (getattr(serinus, name).__doc__ or "").strip(), name
    for name in serinus.sequential.__all__:
        assert (getattr(serinus.sequential, name).__doc__ or "").strip(), name
    for name in serinus.slo.__all__:
        assert (getattr(serinus.slo, name).__doc__ or "").strip(), name


def test_words_are_those_of_the_library() -> None:
    """A member is its text in every way; that none is missing shows when the compiled part looks them all up."""
    assert [str(word) for word in _words.Action] == ["promote", "hold", "rollback"]
    assert [str(word) for word in _words.Verdict] == ["pass", "fail", "inconclusive", "no_data"]
    for words in (_words.Action, _words.Verdict, _words.Severity, _words.Harm, _words.Kind, _words.Missing):
        for word in words:
            assert word == word.value == str(word) == f"{word}"
            assert hash(word) == hash(word.value)
            assert words(word.value) is word


def test_types(tmp_path: Path) -> None:
    """A program that uses the package passes mypy's strictest checks, and a wrong one does not."""
    good = tmp_path / "good.py"
    good.write_text(
        textwrap.dedent(
            """
            import datetime as dt

            import numpy as np
            import serinus
            from serinus.sequential import ProportionTest, StartMixture, combine, start_weight

            result: serinus.MannWhitneyResult = serinus.mann_whitney([1.0], np.ones(3), alternative="greater")
            p: float = result.p_value
            plan = serinus.Plan("plan.json")
            margin: dict[str, float] = plan.metrics["errors"].margin
            decision: serinus.Decision = serinus.judge(plan, {"timestamp": [0]})
            learned: serinus.Calibration = serinus.calibrate(plan, {"timestamp": [0]}, progress=print)
            windows: int = learned.metrics["p95"].held_back[0].windows
            shift: float = serinus.hodges_lehmann([1.0], [2.0]).estimate
            conclusive: bool = serinus.paired_test([1.0, 2.0]).conclusive
            verdict: serinus.Verdict = decision.metrics["errors"].verdict
            text: str = decision.decision
            first: serinus.MetricResult = decision.metrics[0]
            reasons: list[str] = [reason.sentence for reason in decision.reasons]
            monitor = serinus.Monitor({"name": "p"})
            monitor.observe(None, now=dt.datetime.now(dt.timezone.utc))
            monitor.restore(monitor.state())
            test = ProportionTest(alpha=0.01, harm="either", margin={"difference": 0.1})
            test.update(1, 10, 1, 10)
            mixture = StartMixture(test)
            mixture.begin(start_weight(0))
            e: float = combine([test.log_e_value, mixture.evidence().log_e_value]).log_e_value
            try:
                plan.to_dict()
            except serinus.Error as error:
                code: str = error.code
            """
        )
    )
    bad = tmp_path / "bad.py"
    bad.write_text('import serinus\n\nserinus.mann_whitney([1.0], [2.0], alternative="bigger")\n')
    # An installed package is found by itself; one that is only on the path has to be named.
    folder = Path(serinus.__file__).parent.parent
    where = {} if folder.name in ("site-packages", "dist-packages") else {"MYPYPATH": str(folder)}
    for file, code, says in ((good, 0, "no issues"), (bad, 1, "bigger")):
        found = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(file)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={"PATH": "", **where},
        )
        assert found.returncode == code, found.stdout + found.stderr
        assert says in found.stdout


def test_import_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Only measured and shown: what a machine needs is not a matter of right and wrong."""
    code = "import numpy, time; t = time.perf_counter(); import serinus; print((time.perf_counter() - t) * 1000)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    with capsys.disabled():
        print(f" import serinus: {float(found.stdout):.1f} ms after numpy")


def test_the_package_is_light() -> None:
    """Of an installed wheel; what a checkout builds for itself keeps its symbols."""
    compiled = Path(_core.__file__).resolve()
    if not {"site-packages", "dist-packages"} & set(compiled.parts):
        pytest.skip("not installed")
    files = [Path(str(one.locate())).resolve() for one in metadata.files("serinus") or [] if one.suffix != ".pyc"]
    assert compiled in files
    assert compiled.stat().st_size < MOST_COMPILED
    assert sum(len(zlib.compress(one.read_bytes())) for one in files) < MOST_WHEEL
