"""serinus.sequential: mixtures, boundaries, group-sequential designs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serinus
from serinus import sequential

REFERENCE = Path(__file__).parents[2] / "data" / "reference" / "sequential"
NAMES = {
    "normal_mixture_bound": "normal_mixture",
    "gamma_exponential_mixture_bound": "gamma_exponential",
    "gamma_poisson_mixture_bound": "gamma_poisson",
    "beta_binomial_mixture_bound": "beta_binomial",
    "poly_stitching_bound": "poly_stitching",
    "double_stitching_bound": "double_stitching_bound",
    "empirical_process_lil_bound": "empirical_process_lil_bound",
}


# What confseq calls the arguments.
WORDS = {
    "v_opt": "tuned_at", "t_opt": "tuned_at", "alpha_opt": "tuned_alpha", "v_min": "from_time", "t_min": "from_size",
    "is_one_sided": "one_sided",
}  # fmt: skip


def cases(file: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((REFERENCE / file).read_text())["cases"]
    return [{WORDS.get(key, key): value for key, value in case.items() if key != "source"} for case in found]


def test_agrees_with_confseq_and_mpmath() -> None:
    seen = 0
    for case in cases("boundaries.json") + cases("mixtures.json"):
        function, expected = case.pop("function"), case.pop("output")
        if function in NAMES:
            # confseq's bounds are bisected to 40 bits, and its beta-binomial ones at v = 1e6 imprecise (see the C++ test).
            found = getattr(sequential, NAMES[function])(**case)
            assert found == pytest.approx(expected, rel=2e-8)
        elif function.startswith("log_"):
            found = getattr(sequential, function)(**case)
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)
        elif function == "bernoulli_confidence_interval":
            x, n = case.pop("num_successes"), case.pop("num_trials")
            found = sequential.bernoulli_confidence_interval(x, n, **case)
            assert found == pytest.approx(expected, rel=1e-8)
        else:
            continue
        seen += 1
    assert seen == 300 + 45 + 30 + 12 + 10 + 200


def test_arrays_broadcast_and_numbers_stay_numbers() -> None:
    v = np.geomspace(1, 1e6, 13)
    for name, tuned in (
        ("normal_mixture", (100,)),
        ("gamma_exponential", (100, 0.5)),
        ("gamma_poisson", (100, 0.5)),
        ("beta_binomial", (10, 0.1, 0.9)),
    ):
        bound = getattr(sequential, name)
        single = bound(30.0, 0.05, *tuned)
        assert type(single) is float
        table = bound(v[:, None], [0.05, 0.01], *tuned)
        assert table.shape == (13, 2)
        assert table.dtype == np.float64
        assert np.all(table[:, 1] >= table[:, 0])
        assert table[4, 1] == bound(v[4], 0.01, *tuned)
        value = getattr(sequential, "log_" + name)
        assert type(value(1, 30, *tuned)) is float
        along = value(table[:, 0], v, *tuned)
        assert np.all(along <= math.log(20) + 1e-9)
        assert along[-1] == pytest.approx(math.log(20), abs=1e-9)
    assert sequential.poly_stitching(v, 0.05, 10).shape == (13,)
    assert sequential.double_stitching_bound([0.5, 0.9], 1000, 0.05, 100).shape == (2,)
    assert sequential.empirical_process_lil_bound([10, 1000], 0.05, 100)[0] == math.inf
    found = sequential.bernoulli_confidence_interval([0, 30], 300, 0.05, 100)
    assert found.lower.shape == found.upper.shape == (2,)
    assert type(sequential.bernoulli_confidence_interval(0, 300, 0.05, 100).upper) is float
    assert sequential.boundaries.normal_mixture is sequential.normal_mixture


def test_group_sequential_agrees_with_gsdesign() -> None:
    spendings = {"OBF": "obf", "Pocock": "pocock", "KD": "kim_demets", "HSD": "hwang_shih_decani"}
    for case in cases("group_sequential.json"):
        design = sequential.group_sequential(
            case["information"],
            case["alpha"],
            spendings[case["spending"]],
            parameter=case["parameter"],
            sided=case["sided"],
        )
        assert design.bounds == pytest.approx(case["z"], abs=1e-8)
        assert design.cumulative_alpha == pytest.approx(case["cumulative_alpha"], rel=1e-12)
        if case["exit_drift_3"] is not None:
            found = sequential.crossing_probabilities(np.array(case["information"]), design.bounds, 3)
            assert found.upper == pytest.approx(case["exit_drift_3"], abs=1e-8)
            assert not found.lower.any()


@pytest.mark.parametrize(
    ("call", "code", "part"),
    [
        (lambda: sequential.normal_mixture(1, 0.05, 10, tuned_alpha=0.5), "argument.range", "tuned_alpha is 0.5"),
        (lambda: sequential.normal_mixture([1, -1], 0.05, 10), "argument.range", "v is -1"),
        (lambda: sequential.normal_mixture("1", 0.05, 10), "argument.type", "v is '1'"),
        (lambda: sequential.normal_mixture(None, 0.05, 10), "argument.type", "v is None"),
        (lambda: sequential.gamma_exponential(1, [], -1, 1), "argument.range", "tuned_at is -1"),
        (lambda: sequential.group_sequential([0.5, 1], 0.05, "linear"), "argument.word", "hwang_shih_decani"),  # type: ignore[arg-type]
        (lambda: sequential.group_sequential([1, 0.5], 0.05, "obf"), "argument.range", "information[0] is 1"),
        (lambda: sequential.group_sequential([0.5, 0.4], 0.05, "obf"), "argument.range", "information[1] is 0.4"),
        (lambda: sequential.group_sequential([], 0.05, "obf"), "argument.length", "information is empty"),
        (lambda: sequential.group_sequential([1], 0.05, "obf", parameter=2.0), "argument.range", "none with obf"),
        (lambda: sequential.crossing_probabilities([1], [1, 2], 0), "argument.length", "bounds has 2"),
    ],
)
def test_says_what_is_wrong(call: Any, code: str, part: str) -> None:
    with pytest.raises(serinus.Error) as error:
        call()
    assert error.value.code == "serinus." + code
    assert part in str(error.value)
