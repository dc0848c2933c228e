"""The fixed look at gauges: what Python adds to tests/unit/fixed/label_swap_test.cpp."""

from __future__ import annotations

import json
import pathlib
import pickle

import numpy as np
import pytest
import serinus

BOARD = pathlib.Path(__file__).resolve().parents[2] / "data" / "judges" / "original-180.json"


def test_the_published_board() -> None:
    right = false_positives = 0
    for canary in json.loads(BOARD.read_text()):
        if canary["family"] == "healed_transient":
            continue
        baseline = {name: arms["control"] for name, arms in canary["metrics"].items()}
        experiment = {name: arms["experiment"] for name, arms in canary["metrics"].items()}
        found = serinus.label_swap_test(baseline, experiment, detect={"ratio": 1.25}, seed=1)
        failed = found.verdict == serinus.Verdict.FAIL
        right += failed == (canary["truth"] == "FAIL")
        false_positives += failed and canary["truth"] == "PASS"
    assert (right, false_positives) == (159, 1)


def test_one_array_is_one_metric_without_a_name() -> None:
    random = np.random.default_rng(2)
    b, c = random.normal(100, 5, 40), random.normal(106, 5, 40)
    c[3] = np.nan
    alone = serinus.label_swap_test(b, c, margin={"difference": 0.0}, detect={"difference": 20.0})
    named = serinus.label_swap_test({"x": b}, {"x": c}, margin={"difference": 0.0}, detect={"difference": 20.0})
    assert alone.p_value == named.p_value
    assert (alone.metric, named.metric) == ("", "x")
    assert alone.metrics[0].n == 39
    assert alone.metrics[0].whole.lower < 6 < alone.metrics[0].whole.upper
    assert alone.reasons[0].code == "look_harm"
    assert pickle.loads(pickle.dumps(alone)) == alone


def test_what_is_a_metrics_own() -> None:
    random = np.random.default_rng(3)
    b = {name: random.normal(100, 5, 40) for name in ("up", "down")}
    c = {"up": b["up"][::-1], "down": random.normal(90, 5, 40)}
    assert serinus.label_swap_test(b, c).verdict != serinus.Verdict.FAIL
    own = {"down": {"harm": "decrease", "margin": {"ratio": 1.01}, "weight": 2}}
    found = serinus.label_swap_test(b, c, metrics=own)
    assert (found.verdict, found.metric) == (serinus.Verdict.FAIL, "down")


def test_what_is_refused() -> None:
    b = np.arange(20.0)
    for bad in (dict(alpha=0.0), dict(resamples=5), dict(harm="up"), dict(margin={"ratio": 0.5}), dict(nan_policy="x")):
        with pytest.raises((serinus.Error, ValueError)):
            serinus.label_swap_test(b, b, **bad)
    with pytest.raises(serinus.Error):
        serinus.label_swap_test(b, b[:-1])
    with pytest.raises(ValueError, match="different metrics"):
        serinus.label_swap_test({"a": b}, {"b": b})
    with pytest.raises(ValueError, match="metrics names"):
        serinus.label_swap_test({"a": b}, {"a": b}, metrics={"z": {}})
    with pytest.raises(serinus.Error, match="allowed"):
        serinus.label_swap_test({"a": b}, {"a": b}, metrics={"a": {"margins": 1}})
