"""What a deployment costs of the error budget, from Python: bounds, decisions, rules."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import serinus
from serinus import Error, slo

from conftest import START, make_table

DATA = Path(__file__).resolve().parents[2] / "data"
CASES = json.loads((DATA / "reference/slo/statistics.json").read_text())["cases"]
VECTORS = {kind: [one for one in CASES if one["source"] == f"mpmath {kind}"] for kind in ("single", "pairs")}


def near(expected: float) -> Any:
    """The reference's own tolerance on burn rates and shares."""
    return pytest.approx(expected, rel=1e-9, abs=0)


def likely(expected: float) -> Any:
    """And on probabilities."""
    return pytest.approx(expected, rel=0, abs=1e-12)


@pytest.mark.parametrize("one", VECTORS["single"])
def test_burn_statistics_agree_with_the_reference(one: dict[str, Any]) -> None:
    counts, factor = (one["bad"], one["total"], one["error_budget"]), one["threshold"]
    for method, field in (("clopper_pearson", "cp_burn"), ("poisson", "poisson_burn")):
        found = slo.burn_interval(*counts, confidence=one["confidence"], method=method)
        assert (found.burn, found.lower, found.upper) == (near(one["burn"]), near(one[field][0]), near(one[field][1]))
        assert (found.confidence, found.method) == (one["confidence"], method)
    assert slo.burn_p_value(*counts, factor) == likely(one["binom_p_value_ge"])
    if one["prob_burn_gt_jeffreys"] is not None:
        assert slo.probability_burn_exceeds(*counts, factor) == likely(one["prob_burn_gt_jeffreys"])


def test_without_events_nothing_is_known() -> None:
    nothing = slo.burn_interval(0, 0, 0.001)
    assert math.isnan(nothing.burn)
    assert (nothing.lower, nothing.upper) == (0, 1000)
    assert math.isnan(slo.probability_burn_exceeds(0, 0, 0.001, 1))
    assert slo.burn_p_value(0, 0, 0.001, 1) == 1


@pytest.mark.parametrize("one", VECTORS["pairs"])
def test_deployment_budget_agrees_with_the_reference(one: dict[str, Any]) -> None:
    found = slo.deployment_budget(
        *one["baseline"],
        *one["canary"],
        budget=one["error_budget"],
        expected_events=one["period_events"],
        confidence=one["confidence"],
    )
    assert found.excess == near(one["excess"])
    assert [found.lower, found.upper] == [near(bound) for bound in one["excess_newcombe"]]
    assert found.share == near(one["budget_share"])
    assert [found.share_lower, found.share_upper] == [near(bound) for bound in one["budget_share_newcombe"]]
    assert found.total_share == near(one["budget_share_total"])
    assert found.service_burn == near(one["service_burn"])
    assert found.projected_burn == near(one["projected_burn_full"])
    lower, upper = one["rate_ratio_cond_exact"]
    assert found.ratio_lower == near(lower)
    assert found.ratio_upper == (math.inf if upper is None else near(upper))
    assert found.p_value == likely(one["p_value_cond_greater"])
    assert (found.confidence, found.method) == (one["confidence"], "newcombe")
    assert math.isnan(found.promoted_share)
    assert found.to_dict()["excess"] == found.excess


def test_deployment_budget_of_a_promotion_and_by_the_ratio() -> None:
    found = slo.deployment_budget(40, 95000, 15, 1000, budget=0.001, expected_events=8.64e6, promoted_events=288_000)
    assert found.promoted_share == near((0.015 - 40 / 95000) * 288_000 / 8640)
    assert found.promoted_share_lower == near(found.share_lower * 288)
    assert found.promoted_share_upper == near(found.share_upper * 288)
    seen = slo.deployment_budget(40, 95000, 15, 1000, budget=0.001, expected_events=1e6, method="rate_ratio")
    assert seen.lower == near(15 * (1 - 1 / seen.ratio_lower))
    assert seen.upper == near(15 * (1 - 1 / seen.ratio_upper))
    assert seen.method == "rate_ratio"


def test_excess_sequence() -> None:
    random = np.random.default_rng(5)
    counts = [(random.binomial(900, 0.01), 900, random.binomial(100, 0.03), 100) for _ in range(50)]
    options = {"alpha_lower": 0.01, "alpha_upper": 0.05, "dispersion": 1.5}
    one_by_one, at_once, stopped = (slo.ExcessSequence(**options) for _ in range(3))
    for i, interval in enumerate(counts):
        one_by_one.update(*interval)
        stopped.update(*interval)
        if i % 7 == 0:
            state = stopped.state()
            stopped = slo.ExcessSequence(**options)
            stopped.restore(state)
    at_once.update_many(*np.array(counts).T)
    for other in (at_once, stopped, pickle.loads(pickle.dumps(one_by_one))):
        assert other.state() == one_by_one.state()
        for field in ("estimate", "lower", "upper", "canary_lower", "canary_upper", "baseline", "canary"):
            assert getattr(other, field) == getattr(one_by_one, field)
    bad_b, total_b, bad_c, total_c = np.array(counts).sum(axis=0)
    assert one_by_one.estimate == pytest.approx(bad_c - bad_b / 9, rel=1e-12)
    assert (one_by_one.baseline, one_by_one.canary) == ((bad_b, total_b), (bad_c, total_c))
    assert one_by_one.lower < one_by_one.estimate < one_by_one.upper
    assert 0 < one_by_one.canary_lower < bad_c < one_by_one.canary_upper
    # The bounds are where the e-values reach 1/alpha, rounded outward.
    assert one_by_one.log_e_value_above(one_by_one.lower) == pytest.approx(math.log(100), abs=1e-8)
    assert one_by_one.log_e_value_below(one_by_one.upper) == pytest.approx(math.log(20), abs=1e-8)
    assert repr(one_by_one).startswith("ExcessSequence(estimate=")


def test_excess_sequence_leaves_out_a_baseline_that_is_too_small() -> None:
    excess = slo.ExcessSequence()
    excess.update(9, 900, 3, 100)
    before = excess.state()
    for interval in ((0, 0, 100, 100), (4, 4, 81, 81), (3, 900, 0, 0)):
        excess.update(*interval)
    assert excess.state() == before


def test_what_cannot_be_is_refused() -> None:
    excess = slo.ExcessSequence()
    excess.update(9, 900, 3, 100)
    before = excess.state()
    promise, policy = slo.Objective("a", target="99.9%"), slo.sre_workbook_policy()
    budget = {"budget": 0.001, "expected_events": 1e6}
    count, range_, word = "serinus.argument.count", "serinus.argument.range", "serinus.argument.word"
    cases: list[tuple[str, Any]] = [
        (count, lambda: slo.burn_interval(3, 2, 0.001)),
        (count, lambda: slo.burn_interval(0.5, 2, 0.001)),
        (count, lambda: slo.burn_p_value(-1, 2, 0.001, 1)),
        (count, lambda: slo.probability_burn_exceeds(math.nan, 2, 0.001, 1)),
        (range_, lambda: slo.burn_interval(1, 2, 1.0)),
        (range_, lambda: slo.burn_interval(1, 2, 0.001, confidence=1)),
        (range_, lambda: slo.burn_p_value(1, 2, 0.001, 0)),
        (word, lambda: slo.burn_interval(1, 2, 0.001, method="wald")),
        (count, lambda: slo.deployment_budget(3, 2, 0, 1, **budget)),
        (count, lambda: slo.deployment_budget(0, 2, 2, 1, **budget)),
        (range_, lambda: slo.deployment_budget(0, 2, 0, 1, budget=0.001, expected_events=0)),
        (range_, lambda: slo.deployment_budget(0, 2, 0, 1, promoted_events=-1, **budget)),
        (word, lambda: slo.deployment_budget(0, 2, 0, 1, method="wald", **budget)),
        (count, lambda: excess.update(3, 2, 0, 1)),
        (count, lambda: excess.update(0, 1, 0.5, 1)),
        (count, lambda: excess.update_many([0, 3], [1, 2], [0, 0], [1, 1])),
        (range_, lambda: slo.ExcessSequence(alpha_lower=0)),
        (range_, lambda: slo.ExcessSequence(dispersion=0.5)),
        ("serinus.state.options", lambda: slo.ExcessSequence(alpha_lower=0.01).restore(before)),
        (word, lambda: slo.prometheus_rules(promise, policy, "", "n")),
        (word, lambda: slo.prometheus_rules(promise, policy, "e", "n\n")),
        (word, lambda: slo.prometheus_rules(promise, slo.Policy(policy.conditions, min_probability=0.9), "e", "n")),
        (word, lambda: slo.prometheus_rules(promise, policy, "e", "n", no_data="loud")),
        ("serinus.argument.type", lambda: slo.prometheus_rules(promise, policy, 5, "n")),
        ("serinus.slo.never_fires", lambda: slo.prometheus_rules(slo.Objective(budget=0.07), policy, "e", "n")),
    ]
    for i, (code, call) in enumerate(cases):
        with pytest.raises(Error) as error:
            call()
        assert error.value.code == code, i
    assert excess.state() == before


def test_rules() -> None:
    policy = slo.sre_workbook_policy()
    text = slo.prometheus_rules(
        slo.Objective("checkout", target="99.9%"),
        policy,
        'http_requests_total{code=~"5.."}',
        "http_requests_total",
        interval="30s",
        no_data="ticket",
    )
    lines = [line.strip() for line in text.splitlines()]
    assert "interval: 30s" in lines
    recorded = [line for line in lines if line.startswith("- record: ")]
    assert sorted(recorded) == sorted(f"- record: serinus:error_ratio:increase{window}" for window in policy.windows)
    # A quoted YAML text is a JSON text.
    expressions = [json.loads(line.removeprefix("expr: ")) for line in lines if line.startswith("expr: ")]
    assert (
        'sum(increase(http_requests_total{code=~"5.."}[1h])) / sum(increase(http_requests_total[1h]))' in expressions
    )
    for condition in policy.conditions:
        assert any(
            f"increase{condition.long}{{" in expression and f"increase{condition.short}{{" in expression
            for expression in expressions
        )
    assert lines.count("- alert: ErrorBudgetBurn") == len(policy.conditions)
    assert lines.count("- alert: ErrorBudgetNoData") == 1
    assert lines.count('slo: "checkout"') == len(recorded) + len(policy.conditions) + 1


@pytest.fixture
def rollout() -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((DATA / "plans/slo.json").read_text())
    return plan


def test_a_decision_tells_of_the_budget(rollout: dict[str, Any]) -> None:
    decision = serinus.judge(rollout, make_table(canary_rate=0.0005, baseline_rate=0.0005))
    assert decision.burn.names() == ["availability"]
    burn = decision.burn["availability"]
    document = decision.to_dict()["burn"][0]
    # Every key is an attribute, under the same name, and an unknown number is null there and NaN here.
    for part, thing in (
        (document, burn),
        (document["share"], burn.share),
        (document["halt"], burn.halt),
        *zip(document["windows"], burn.windows, strict=True),
    ):
        for key, value in part.items():
            found = getattr(thing, key)
            if isinstance(value, (dict, list)):
                continue
            if value is None and isinstance(found, float):
                assert math.isnan(found), key
            elif value in ("Infinity", "-Infinity"):
                assert found == float(value), key
            else:
                assert found == value, key
    assert burn.objective == burn.name == "availability"
    assert (burn.metric, burn.budget, burn.period, burn.period_ms) == ("errors", 0.001, "30d", 2_592_000_000)
    assert burn.canary_lower <= burn.canary_burn <= burn.canary_upper
    assert burn.share.lower <= burn.share.estimate <= burn.share.upper
    assert burn.share.allowed == 0.2
    assert burn.share.measured
    assert isinstance(burn.verdict, serinus.Verdict)
    assert all(isinstance(window.status, slo.BurnStatus) for window in burn.windows)
    lengths = [window.window_ms for window in burn.windows]
    assert lengths == sorted(lengths)
    assert {"5m", "1h"} <= {window.window for window in burn.windows}
    assert burn.alert is None
    assert burn.dedupe_key is None
    assert not burn.suppressed
    assert burn.halt.log_e_value < burn.halt.needed_log_e_value
    assert [reason.sentence for reason in burn.reasons] == [reason["sentence"] for reason in document["reasons"]]
    html = decision._repr_html_()
    assert html.count("<table>") == 2
    assert ">availability<" in html


def test_a_canary_that_burns_the_budget(rollout: dict[str, Any]) -> None:
    rollout["metrics"][0]["muted"] = True  # so that only the objective decides
    # Half of the budget in an hour is a share of bad events that is 0.36 larger than the baseline's.
    decision = serinus.judge(rollout, make_table(canary_rate=0.6, baseline_rate=0.0005))
    assert decision.decision == "rollback"
    burn = decision.burn[0]
    assert burn.verdict == "fail"
    assert burn.alert == serinus.Severity.PAGE
    assert burn.dedupe_key == "payments-2026.11.22-1/availability/page"
    assert burn.halt.factor == pytest.approx(360, rel=1e-12)
    assert burn.halt.log_e_value >= burn.halt.needed_log_e_value
    assert burn.canary_burn > 360
    assert burn.reasons[0].code == "burn_halt"
    assert repr(burn) == "BurnResult(objective='availability', verdict='fail')"


def test_before_any_data_nothing_is_said(rollout: dict[str, Any]) -> None:
    decision = serinus.Monitor(rollout).decision
    burn = decision.burn["availability"]
    assert burn.verdict == "no_data"
    assert math.isnan(burn.canary_burn)
    assert math.isnan(burn.share.estimate)
    assert (burn.share.lower, burn.share.upper) == (-math.inf, math.inf)
    for thing in (burn, burn.share, burn.halt, *burn.windows):
        assert repr(thing).startswith(type(thing).__name__ + "(")


def test_a_plan_without_objectives_has_no_budgets(plan_dict: dict[str, Any]) -> None:
    decision = serinus.judge(plan_dict, make_table(intervals=5))
    assert len(decision.burn) == 0
    assert decision.time_ms is not None
    assert decision.time_ms / 1000 >= START
    assert decision._repr_html_().count("<table>") == 1
