"""serinus.mann_whitney: agreement with SciPy, and what people hand over."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import serinus

ALTERNATIVES = ["two-sided", "greater", "less"]


def compare(x: np.ndarray, y: np.ndarray, alternative: str, method: str, reference: str, continuity: bool = True) -> None:
    ours = serinus.mann_whitney(y, x, alternative=alternative, method=method, continuity=continuity)
    theirs = scipy.stats.mannwhitneyu(x, y, alternative=alternative, method=reference, use_continuity=continuity)
    assert ours.u == theirs.statistic
    assert ours.n_baseline == len(y)
    assert ours.n_canary == len(x)
    # Both are a handful of roundings away from the same number; the smallest p-values are relative to 1 in both.
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-11, abs=1e-300)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("continuity", [True, False])
def test_normal_agrees_with_scipy(alternative: str, continuity: bool) -> None:
    random = np.random.default_rng(20261122)
    for _ in range(60):
        m, n = random.integers(2, 200, 2)
        x, y = random.normal(0.1, 1, m), random.normal(0, 1, n)
        if random.random() < 0.5:  # ties
            x, y = np.round(x, 1), np.round(y, 1)
        compare(x, y, alternative, "normal", "asymptotic", continuity)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_exact_agrees_with_scipy(alternative: str) -> None:
    random = np.random.default_rng(20261123)
    for _ in range(60):
        m, n = random.integers(1, 30, 2)
        compare(random.normal(0.3, 1, m), random.normal(0, 1, n), alternative, "exact", "exact")


def test_exact_with_ties_agrees_with_all_arrangements() -> None:
    baseline, canary = [2.0, 3, 3, 4, 5, 6], [1.0, 2, 2, 3]
    pooled = np.array(canary + baseline)
    u = serinus.mann_whitney(baseline, canary).u

    def statistic(x: np.ndarray, y: np.ndarray) -> float:
        return float((x[:, None] > y).sum() + 0.5 * (x[:, None] == y).sum())

    from itertools import combinations

    everything = []
    for chosen in combinations(range(len(pooled)), len(canary)):
        mask = np.zeros(len(pooled), dtype=bool)
        mask[list(chosen)] = True
        everything.append(statistic(pooled[mask], pooled[~mask]))
    below, above = np.mean(np.array(everything) <= u), np.mean(np.array(everything) >= u)
    for alternative, expected in (("less", below), ("greater", above), ("two-sided", min(1, 2 * min(below, above)))):
        result = serinus.mann_whitney(baseline, canary, alternative=alternative, method="exact")
        assert result.p_value == pytest.approx(expected, rel=1e-14)
        assert result.method == "exact"
        assert result.ties == 6


def test_fields() -> None:
    result = serinus.mann_whitney([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert (result.u, result.effect, result.ties, result.degenerate) == (9.0, 1.0, 0, False)
    assert result.to_dict()["method"] == result.method == "exact"
    assert "u=9" in repr(result)
    assert "<table>" in result._repr_html_()
    assert pickle.loads(pickle.dumps(result)) == result
    assert type(result).__module__ == "serinus"


def test_what_is_degenerate() -> None:
    equal = serinus.mann_whitney([3.0] * 5, [3.0] * 7)
    assert equal.degenerate
    assert equal.p_value == 1
    assert equal.effect == 0.5
    empty = serinus.mann_whitney([], [1.0])
    assert empty.degenerate
    assert empty.p_value == 1
    assert np.isnan(empty.effect)


def test_infinities_rank_and_nan_is_dropped() -> None:
    result = serinus.mann_whitney([-np.inf, 1.0, np.nan], [np.inf, 2.0, np.nan, np.nan])
    assert (result.n_baseline, result.n_canary, result.u) == (2, 2, 4.0)
    with pytest.raises(serinus.Error, match=r"canary\[1\] is NaN") as error:
        serinus.mann_whitney([1.0], [1.0, np.nan], nan_policy="error")
    assert error.value.code == "serinus.argument.nan"


@pytest.mark.parametrize(
    "same",
    [
        [1, 2, 4, 8],
        (1.0, 2.0, 4.0, 8.0),
        range(1, 9),
        np.array([1, 2, 4, 8], dtype=np.int32),
        np.array([1, 2, 4, 8], dtype=np.uint8),
        np.array([1, 2, 4, 8], dtype=np.float32),
        np.array([1, 2, 4, 8], dtype=np.float16),
        np.array([1, 2, 4, 8], dtype=">f8"),
        np.array([1, 0, 2, 0, 4, 0, 8, 0], dtype=np.float64)[::2],
        np.array([8, 4, 2, 1], dtype=np.float64)[::-1],
        np.asfortranarray(np.array([[1.0, 9.0], [2.0, 9.0], [4.0, 9.0], [8.0, 9.0]]))[:, 0],
        np.array([1, 2.0, 4, 8], dtype=object),
        pd.Series([1, 2, 4, 8]),
        pd.Series([1.0, 2.0, 4.0, 8.0], index=list("abcd")),
        pd.Series([1, 2, 4, 8, None], dtype="Int64"),
        np.ma.masked_equal([1.0, 2.0, 5.0, 4.0, 8.0], 5.0),
        [1.0, 2.0, None, 4.0, 8.0],
        np.ma.masked_array([1.0, 2.0, 4.0, 8.0], mask=False),
        np.array([1.0, 2.0, 4.0, 8.0]).view(np.recarray),
        memoryview(np.array([1.0, 2.0, 4.0, 8.0])),
    ],
    ids=lambda x: f"{type(x).__name__}-{getattr(x, 'dtype', '')}",
)
def test_everything_like_an_array_is_taken(same: Any) -> None:
    canary = np.array([3.0, 5.0, 7.0])
    expected = serinus.mann_whitney(np.array([1.0, 2.0, 4.0, 8.0]), canary)
    if isinstance(same, range):
        expected = serinus.mann_whitney(np.arange(1.0, 9.0), canary)
    assert serinus.mann_whitney(same, canary) == expected
    mirrored = serinus.mann_whitney(canary, same)
    assert mirrored.u == expected.n_baseline * expected.n_canary - expected.u


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (None, "canary is None"),
        ("12", "canary is '12'"),
        (b"12", "canary is b'12'"),
        (3.0, r"canary has shape \(\)"),
        ([[1.0, 2.0]], r"canary has shape \(1, 2\)"),
        (np.zeros((3, 2)), r"canary has shape \(3, 2\)"),
        ([[1.0], [2.0, 3.0]], r"canary is \[\[1.0\], \[2.0, 3.0\]\]"),
        (["1", "2"], "canary has dtype <U1"),
        ([1.0, "2"], "canary has dtype"),
        (np.array([1.0, "2"], dtype=object), r"canary\[1\] is '2'"),
        (np.array([1j]), "canary has dtype complex128"),
        (np.array(["2026-11-22"], dtype="datetime64[s]"), "canary has dtype datetime64"),
        ({"a": 1.0}, "canary is {'a': 1.0}"),
        (object(), "canary has shape"),
    ],
)
def test_everything_else_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(serinus.Error, match=says) as error:
        serinus.mann_whitney([1.0], wrong)
    assert error.value.code == "serinus.argument.type"
    assert "allowed: a one-dimensional array of numbers" in str(error.value)


@pytest.mark.parametrize("option", ["alternative", "method", "nan_policy"])
def test_words_are_checked(option: str) -> None:
    with pytest.raises(serinus.Error, match=f'{option} is "other"; allowed: ') as error:
        serinus.mann_whitney([1.0], [2.0], **{option: "other"})
    assert error.value.code == "serinus.argument.word"
    assert error.value.number == 13
    with pytest.raises(serinus.Error, match=f"{option} is None"):
        serinus.mann_whitney([1.0], [2.0], **{option: None})
    assert isinstance(error.value, ValueError)
    again = pickle.loads(pickle.dumps(error.value))
    assert (str(again), again.code, again.number) == (str(error.value), error.value.code, error.value.number)


def test_an_array_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contiguous float64 array never reaches the converter, anything else does; and no array is changed."""
    from serinus import _inputs

    converted: list[str] = []
    original = _inputs.values

    def watched(name: str, given: Any) -> Any:
        converted.append(name)
        return original(name, given)

    monkeypatch.setattr(_inputs, "values", watched)
    contiguous = np.array([3.0, 1.0, 2.0])
    frozen = contiguous.copy()
    frozen.flags.writeable = False
    serinus.mann_whitney(contiguous, frozen)
    assert converted == []
    assert contiguous.tolist() == [3.0, 1.0, 2.0]
    serinus.mann_whitney(contiguous[::2], contiguous)
    assert converted == ["baseline"]


def test_other_threads_run_on() -> None:
    random = np.random.default_rng(3)
    large = random.normal(size=2_000_000)
    done = threading.Event()
    results: list[float] = []

    def work() -> None:
        results.append(serinus.mann_whitney(large, large[::-1].copy()).effect)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    longest, last = 0.0, time.perf_counter()
    began = last
    while not done.is_set():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        time.sleep(0)
    thread.join()
    assert results == [0.5]
    # Had the call held the interpreter, this loop would have stood still for all of it.
    assert longest < 0.9 * (time.perf_counter() - began)


def test_threads_agree() -> None:
    random = np.random.default_rng(4)
    pairs = [(random.normal(size=300), random.normal(0.1, 1, 300)) for _ in range(40)]
    expected = [serinus.mann_whitney(*pair).p_value for pair in pairs]
    found: list[list[float]] = []

    def work() -> None:
        found.append([serinus.mann_whitney(*pair).p_value for pair in pairs])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
