"""The JSON schemas: what Serinus reads and writes fits them, and what it refuses does not.

That the schemas name exactly the keys that the reader and the writer know is checked by tests/unit/io.
"""

import copy
import functools
import json
import pathlib

import jsonschema
import pytest
import serinus

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
PLANS = sorted((DATA / "plans").glob("*.json"))
BROKEN = json.loads((DATA / "reference" / "broken_plans.json").read_text())["plans"]


def load(name):
    return json.loads((DATA / name).read_text())


@functools.cache
def validator(name):
    schema = load(f"schema/{name}.schema.json")
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def changed(document, change):
    """The document with the values at JSON pointers set, and members removed."""
    document = copy.deepcopy(document)

    def place(pointer):
        *way, last = pointer.split("/")[1:]
        at = document
        for step in way:
            at = at[int(step)] if isinstance(at, list) else at[step]
        return at, int(last) if isinstance(at, list) else last

    for pointer, value in change.get("set", {}).items():
        at, last = place(pointer)
        if isinstance(at, list) and last == len(at):
            at.append(value)
        else:
            at[last] = value
    for pointer in change.get("remove", []):
        at, last = place(pointer)
        del at[last]
    assert document != load("plans/minimal.json")
    return document


def counts(**columns):
    """Two arms, an hour of samples every 10 s."""
    times = [10 * i for i in range(360) for _ in range(4)]
    series = ["http_requests", "http_errors"] * 2 * 360
    arms = ["baseline", "baseline", "canary", "canary"] * 360
    return {"timestamp": times, "series": series, "arm": arms, "value": [9000, 90, 1000, 10] * 360, **columns}


@pytest.mark.parametrize("data", [None, counts(), counts(instance=["a", "b"] * 720), {"timestamp": [0], "series": ["x"],
                                                                                      "arm": ["canary"], "value": [1]}])
def test_what_check_tells_fits(data):
    document = json.loads(serinus.check(load("plans/minimal.json"), data).to_json())
    validator("check").validate(document)
    for key in document:
        assert not validator("check").is_valid({name: value for name, value in document.items() if name != key})


def test_there_are_examples():
    assert {path.name for path in PLANS} >= {"minimal.json", "full.json"}
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_example_plans_fit(path):
    validator("plan").validate(json.loads(path.read_text()))


def test_the_full_plan_has_every_key():
    schema = load("schema/plan.schema.json")
    full = load("plans/full.json")
    assert set(full) == set(schema["properties"])
    for name, values in {
        "stage": full["stages"],
        "metric": [metric for path in PLANS for metric in json.loads(path.read_text())["metrics"]]
        + [{"on_fail": "hold", "severity": "page", "watch": "level"}],
        "margin": [m["margin"] for m in full["metrics"] + load("plans/floor.json")["metrics"]],
        "slo": full["slo"],
        "condition": full["slo"][0]["policy"],
        "noise": [*full["noise"].values(), *load("plans/callers.json")["noise"].values(),
                  {"floored": {"ratio": 1.5, "floor": 10, "slope": 0.4}, "thresholds": [0.3], "dispersions": [1.2], "shape": [0.1, 0.3, 1]}],
        "floored_noise": [{"ratio": 1.5, "floor": 10, "slope": 0.4}],
        "stage_noise": full["noise"]["latency_p95"]["stages"],
        "spike_noise": [full["noise"]["latency_p95"]["spikes"]],
        "known_instances": [full["noise"]["latency_p95"]["instances"]],
        "baseline_range": [load("plans/callers.json")["noise"]["errors"]["baseline"]],
        "before_after_noise": [load("plans/callers.json")["noise"]["callers"]["before_after"]],
        "arms": [full["arms"]],
        "telemetry": [full["telemetry"]],
    }.items():
        assert set().union(*values) == set(schema["$defs"][name]["properties"]), name


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change["says"][:50])
def test_broken_plans_do_not_fit(change):
    plan = changed(load("plans/minimal.json"), change)
    assert validator("plan").is_valid(plan) == (not change.get("schema", True))


@pytest.mark.parametrize("text", ["0", "0s", "10s", "10m", "1h30m", "250ms", "1y2w3d4h5m6s7ms", "90m"])
def test_durations_that_fit(text):
    assert validator("plan").is_valid(changed(load("plans/minimal.json"), {"set": {"/warm_up": text}}))


@pytest.mark.parametrize("text", ["", "1", "10", "m", "1m1h", "1s1s", "1.5h", "-1s", "+1s", " 1s", "1s ", "1S", "1 s"])
def test_durations_that_do_not_fit(text):
    assert not validator("plan").is_valid(changed(load("plans/minimal.json"), {"set": {"/warm_up": text}}))


def evidence(**more):
    return {
        "log_e_value": 4.5,
        "e_value": 90.0,
        "needed_e_value": 20,
        "needed_log_e_value": 2.99,
        "p_value": 0.011,
        "estimate": 3.1,
        "lower": 2.25,
        "upper": "Infinity",
        "confidence": 0.9,
        "n_baseline": 912004,
        "n_canary": 9120,
        "method": "conditional",
        **more,
    }


def decision():
    reason = {
        "code": "harm_proven",
        "number": 1000,
        "metric": "errors",
        "sentence": "a sentence",
        "numbers": {"bound": 2.25, "margin": 2},
    }
    return {
        "decision": "rollback",
        "stage": 1,
        "stages": 3,
        "traffic": 0.01,
        "time": "2026-11-22T21:21:29.250Z",
        "elapsed_seconds": 760.5,
        "reached_seconds": 7.605,
        "finished": False,
        "severity": "page",
        "dedupe_key": None,
        "would": None,
        "would_severity": None,
        "failed": [],
        "reasons": [reason, {"code": "missing_rollback", "number": 1066, "sentence": "a sentence", "numbers": {"age": None},
                             "outside_alpha": True}],
        "metrics": [
            {
                "name": "errors",
                "kind": "proportion",
                "verdict": "fail",
                "harm": "increase",
                "margin": {"ratio": 2},
                "detect": {"ratio": 4},
                "promote_when": "no_harm_found",
                "critical": True,
                "muted": False,
                "severity": "page",
                "alpha": 0.05,
                "alpha_mirror": 0.2,
                "guarantee": "none",
                "guarantee_why": "dispersion_unknown",
                "evidence": evidence(),
                "mirror": evidence(log_e_value="-Infinity", e_value=0, estimate=None, lower="-Infinity"),
                "observed": {"bad_baseline": 11856, "total_baseline": 912004, "bad_canary": 374, "total_canary": 9120},
                "reasons": [reason],
            }
        ],
        "burn": [
            {
                "objective": "availability",
                "metric": "errors",
                "verdict": "inconclusive",
                "budget": 0.001,
                "period": "30d",
                "alpha": 0.025,
                "canary_burn": 41,
                "canary_lower": 30,
                "canary_upper": 55,
                "projected_burn": None,
                "service_burn": 1.5,
                "windows": [{"window": "5m", "status": "absent", "canary": None, "service": None, "coverage": 0}],
                "share": {
                    "estimate": 0.3,
                    "lower": "-Infinity",
                    "upper": "Infinity",
                    "confidence": 0.93,
                    "total": 0.31,
                    "allowed": 0.2,
                    "expected_events": 2e6,
                    "measured": True,
                },
                "halt": {"window": "1h", "budget": 0.5, "factor": 360, "log_e_value": -1.5,
                         "needed_e_value": 81.5, "needed_log_e_value": 4.4},
                "alert": "ticket",
                "suppressed": False,
                "dedupe_key": None,
                "reasons": [],
            }
        ],
        "telemetry": {
            "intervals": 76,
            "used": 75,
            "missing": {"baseline": 0, "canary": 1},
            "newest": {"baseline": "2026-11-22T21:21:29Z", "canary": None},
            "late": 1,
            "repeated": 2,
            "conflicts": 3,
            "ignored": 4,
        },
        "plan": "payments",
        "deployment": "",
        "alpha": 0.05,
        "guarantee": "none",
        "version": "0.1.0",
        "digest": "a" * 64,
    }


def test_a_decision_fits():
    validator("decision").validate(decision())


def test_every_key_of_a_decision_is_required_or_known_to_be_optional():
    """Taking any key away, or adding one, is seen everywhere in the document."""
    check = validator("decision")
    optional = {"metric", "outside_alpha", "detect", "e_value", "bound", "margin", "age", "ratio"}
    optional |= {"bad_baseline", "total_baseline", "bad_canary", "total_canary"}
    seen = 0

    def objects(value):
        if isinstance(value, dict):
            yield value
            for member in value.values():
                yield from objects(member)
        elif isinstance(value, list):
            for member in value:
                yield from objects(member)

    document = decision()
    for found in objects(document):
        for key in list(found):
            kept = dict(found)
            del found[key]
            if key == "ratio" or (key == "margin" and "verdict" in kept) or (key == "metric" and "objective" in kept):
                assert not check.is_valid(document), key
            else:
                assert check.is_valid(document) == (key in optional), key
            found.clear()
            found.update(kept)
            seen += 1
        if not any(key in found for key in ("bound", "age", "bad_baseline")):
            found["extra"] = 1
            assert not check.is_valid(document)
            del found["extra"]
    assert seen > 70
    check.validate(document)


@pytest.mark.parametrize(
    "change",
    [
        {"set": {"/decision": "fail"}},
        {"set": {"/time": "yesterday"}},
        {"set": {"/stage": 0}},
        {"set": {"/metrics/0/evidence/lower": "inf"}},
        {"set": {"/metrics/0/evidence/p_value": 1.5}},
        {"set": {"/metrics/0/verdict": "unknown"}},
        {"set": {"/metrics/0/margin": {"ratio": 2, "difference": 1}}},
        {"set": {"/reasons/1/outside_alpha": False}},
        {"set": {"/digest": "abc"}},
        {"set": {"/telemetry/late": 0.5}},
        {"set": {"/burn/0/alert": "loud"}},
        {"set": {"/burn/0/share/allowed": 0}},
    ],
    ids=lambda change: str(change["set"]),
)
def test_broken_decisions_do_not_fit(change):
    assert not validator("decision").is_valid(changed(decision(), change))
