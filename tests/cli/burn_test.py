"""`serinus burn` as a stranger meets it: what it says, and its exit codes.

    burn_test.py --serinus PROGRAM
"""

import argparse
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
NOTHING, PAGE, ERROR, TICKET, NO_DATA = 0, 1, 2, 3, 4
START = 1795382400
DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
QUICK = {"name": "quick", "long": "1h", "short": "5m", "factor": 10, "severity": "page"}


def fits(value, schema, whole=None, where="answer"):
    """Does a document fit one of our schemas? Only the words of JSON Schema that they use."""
    whole = whole or schema
    if "$ref" in schema:
        return fits(value, whole["$defs"][schema["$ref"].rsplit("/", 1)[1]], whole, where)
    if "oneOf" in schema:
        fitting = 0
        for option in schema["oneOf"]:
            try:
                fits(value, option, whole, where)
                fitting += 1
            except AssertionError:
                pass
        assert fitting == 1, (where, value)
        return None
    if "enum" in schema:
        assert value in schema["enum"], (where, value)
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        known = {"string": str, "number": (int, float), "integer": int, "array": list, "object": dict, "null": type(None)}
        assert any(isinstance(value, known[kind]) for kind in kinds), (where, value)
    if isinstance(value, (int, float)):
        assert value >= schema.get("minimum", value), (where, value)
        assert value <= schema.get("maximum", value), (where, value)
        assert value > schema.get("exclusiveMinimum", value - 1), (where, value)
    if isinstance(value, list):
        for i, item in enumerate(value):
            fits(item, schema["items"], whole, f"{where}[{i}]")
    if isinstance(value, dict):
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), (where, sorted(value))
        for key, item in value.items():
            fits(item, schema["properties"][key], whole, f"{where}.{key}")
    return None


def table(share, hours=30, from_hour=0, scale=1, arm="baseline"):
    """Counters every minute: 6,000 requests a minute, the given share of them bad from `from_hour` on."""
    lines, bad, total = ["timestamp,series,arm,value"], 0, 0
    for minute in range(hours * 60 + 1):
        if minute:
            total += 6000 // scale
            bad += round(6000 / scale * share) if minute > from_hour * 60 else 0
        lines += [f"{START + 60 * minute},requests,{arm},{total}", f"{START + 60 * minute},errors,{arm},{bad}"]
    return "\n".join(lines) + "\n"


class Burn(unittest.TestCase):
    def run_burn(self, content, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "data.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
            command = [SERINUS, "burn", path, "--bad", "errors", "--total", "requests", *arguments]
            return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def json_of(self, content, *arguments):
        done = self.run_burn(content, "--target", "99.9%", "--format", "json", *arguments)
        self.assertEqual(done.stderr, "")
        return done.returncode, json.loads(done.stdout)

    def run_with(self, files, content, *arguments):
        """The program in a folder with these files; those arguments that name one of them are paths."""
        with tempfile.TemporaryDirectory() as folder:
            for name, document in {**files, "data.csv": content}.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(document if isinstance(document, str) else json.dumps(document))
            return subprocess.run(
                [SERINUS, "burn", *arguments], capture_output=True, text=True, timeout=60, cwd=folder, check=False
            )

    def test_every_answer_fits_the_schema(self):
        schema = json.loads((DATA / "schema/burn.schema.json").read_text(encoding="utf-8"))
        answers = [
            self.json_of(table(0.0005))[1],
            self.json_of(table(0.02, from_hour=28), "--for", "10m", "--keep-firing-for", "1h", "--windows", "10m")[1],
            self.json_of(table(0), "--now", str(START - 60))[1],
            self.json_of(table(0.002), "--min-probability", "0.95", "--name", "api")[1],
        ]
        for answer in answers:
            fits(answer, schema)
        self.assertIsNone(answers[2]["windows"][0]["burn"])
        self.assertEqual(answers[3]["objective"]["name"], "api")
        broken = json.loads(json.dumps(answers[0]))
        broken["windows"][0]["status"] = "fine"
        with self.assertRaises(AssertionError):
            fits(broken, schema)

    def test_a_policy_of_its_own(self):
        command = ("data.csv", "--bad", "errors", "--total", "requests", "--target", "99.9%", "--policy", "policy.json")
        done = self.run_with({"policy.json": [QUICK]}, table(0.02), *command, "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (PAGE, ""))
        found = json.loads(done.stdout)
        self.assertEqual([c["name"] for c in found["conditions"]], ["quick"])
        self.assertEqual([w["window"] for w in found["windows"]], ["5m", "1h", "30d"])
        # With what low traffic asks for, as in a plan.
        careful = {"policy": [QUICK], "min_events": 1e9}
        done = self.run_with({"policy.json": careful}, table(0.02), *command, "--format", "json")
        self.assertEqual(done.returncode, TICKET)
        self.assertEqual(json.loads(done.stdout)["conditions"][0]["status"], "insufficient")
        for policy, parts in (
            ([{**QUICK, "factr": 1}], ("policy.json", "policy[0].factr", "factor")),
            ([{**QUICK, "factor": 2000}], ("serinus.slo.never_fires", "2000 x 0.001 = 2")),
            ({"policy": []}, ("policy.json", "policy is empty")),
            ([], ("policy.json", "policy is empty")),
            ("7", ("policy.json", "a list of conditions")),
        ):
            done = self.run_with({"policy.json": policy}, table(0), *command)
            self.assertEqual((done.returncode, done.stdout), (ERROR, ""), policy)
            for part in parts:
                self.assertIn(part, done.stderr)
        self.assertIn("serinus.file.read", self.run_burn(table(0), "--target", "99.9%", "--policy", "none.json").stderr)

    def test_the_objective_of_a_plan(self):
        plan = json.loads((DATA / "plans/slo.json").read_text(encoding="utf-8"))
        plan["metrics"][0] |= {"bad": "errors", "total": "requests", "counter": True}
        plan["slo"][0] |= {"policy": [QUICK], "expected_events": 1e9}
        done = self.run_with({"plan.json": plan}, table(0.02), "data.csv", "--plan", "plan.json", "--format", "json")
        self.assertEqual((done.returncode, done.stderr), (PAGE, ""))
        found = json.loads(done.stdout)
        self.assertEqual(
            found["objective"], {"name": "availability", "budget": 0.001, "period": "30d", "expected_events": 1e9}
        )
        self.assertEqual(found["conditions"][0]["name"], "quick")
        # Counts of intervals, where the metric is no counter: the counters' numbers would be far more.
        plan["metrics"][0]["counter"] = False
        done = self.run_with({"plan.json": plan}, table(0.02), "data.csv", "--plan", "plan.json", "--format", "json")
        self.assertGreater(json.loads(done.stdout)["windows"][0]["total"], found["windows"][0]["total"])
        # Two objectives: a name says which.
        plan["slo"].append({**plan["slo"][0], "name": "strict", "target": 0.9999, "policy": "sre_workbook"})
        for arguments, code, part in (
            ((), ERROR, '"availability" and "strict"'),
            (("--name", "loose"), ERROR, '--name is "loose"'),
            (("--name", "strict"), PAGE, "PAGE  strict   budget 0.01 %"),
            (("--name", "strict", "--target", "99%"), ERROR, "--target is given with --plan"),
            (("--name", "strict", "--policy", "plan.json"), ERROR, "--policy is given with --plan"),
            (("--name", "strict", "--deltas"), ERROR, "--deltas is given with --plan"),
            (("--name", "strict", "--no-data", "page"), ERROR, "--no-data is given with DATA"),
        ):
            done = self.run_with({"plan.json": plan}, table(0.02), "data.csv", "--plan", "plan.json", *arguments)
            self.assertEqual(done.returncode, code, (arguments, done.stderr))
            self.assertIn(part, done.stdout + done.stderr)
        del plan["slo"]
        done = self.run_with({"plan.json": plan}, table(0.02), "data.csv", "--plan", "plan.json")
        self.assertEqual(done.returncode, ERROR)
        self.assertIn("has no slo", done.stderr)

    def test_for_and_keep_firing_for(self):
        """An outage of 20 minutes, seen at several times afterwards."""
        content, total, bad = ["timestamp,series,arm,value"], 0, 0
        for minute in range(241):
            total += 6000 if minute else 0
            bad += 3000 if 60 < minute <= 80 else 0
            content += [f"{START + 60 * minute},{s},baseline,{v}" for s, v in (("requests", total), ("errors", bad))]
        for minute, arguments, state in (
            (64, (), "firing"),  # 4 of 60 minutes at half: 33
            (64, ("--for", "5m"), "pending"),
            (70, ("--for", "5m"), "firing"),
            (86, ("--for", "5m"), "inactive"),
            (86, ("--for", "5m", "--keep-firing-for", "10m"), "firing"),
            (96, ("--for", "5m", "--keep-firing-for", "10m"), "inactive"),
            (64, ("--for", "2m"), "firing"),
            (64, ("--for", "2m", "--interval", "4m"), "pending"),  # evaluated at 60, when it did not hold, and now
        ):
            now = ("--now", str(START + 60 * minute), "--target", "99.9%", "--format", "json")
            done = self.run_burn("\n".join(content) + "\n", *now, *arguments)
            found = json.loads(done.stdout)["conditions"][0]
            self.assertEqual(found["state"], state, (minute, arguments))
            self.assertEqual(found["since"] is None, state == "inactive")

    def test_a_series_that_is_not_there(self):
        promise = ("data.csv", "--target", "99.9%", "--total")
        done = self.run_with({}, table(0), *promise, "requests", "--bad", "erors")
        self.assertEqual((done.returncode, done.stdout), (ERROR, ""))
        self.assertIn('--bad is "erors", which is no series of the data; allowed: "errors" and "requests"', done.stderr)
        many = table(0) + "".join(f"{START},series_{i:02},baseline,1\n" for i in range(30))
        done = self.run_with({}, many, *promise, "all", "--bad", "errors")
        self.assertIn('--total is "all"', done.stderr)
        self.assertIn("20 more", done.stderr)

    def test_nothing_fires(self):
        code, found = self.json_of(table(0.0005))
        self.assertEqual(code, NOTHING)
        self.assertIsNone(found["firing"])
        self.assertEqual([w["window"] for w in found["windows"]], ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"])
        self.assertEqual(found["windows"][2]["burn"], 0.5)
        self.assertEqual(found["windows"][2]["bad"], 180)
        self.assertEqual(found["windows"][2]["total"], 360000)
        self.assertEqual(found["windows"][2]["coverage"], 1)
        self.assertAlmostEqual(found["windows"][6]["coverage"], 30 / 72)
        self.assertAlmostEqual(found["error_budget"]["consumed"], 0.5 * 30 / 720)

    def test_prometheus_answers_without_arms(self):
        """A service has no label that tells arms apart; its answers are all of it."""

        def answer(step, label):
            values = [[START + 60 * minute, str(step * minute)] for minute in range(120)]
            result = [{"metric": {"job": "api", **label}, "values": values}]
            return {"status": "success", "data": {"resultType": "matrix", "result": result}}

        def document(label):
            return json.dumps({"errors": answer(6, label), "requests": answer(6000, label)})

        code, found = self.json_of(document({}))
        self.assertEqual((code, found["windows"][2]["window"], found["windows"][2]["burn"]), (NOTHING, "1h", 1))
        self.assertEqual(found, self.json_of(document({"track": "stable"}))[1])
        refused = self.run_burn(document({"track": "blue"}), "--target", "99.9%")
        self.assertEqual(refused.returncode, ERROR)
        self.assertIn("serinus.data.arm", refused.stderr)

    def test_two_collectors_of_one_service(self):
        """What differs only in a label of collectors is counted once; the plan may say which labels these are."""

        def document(label):
            answers = {}
            for name, step in (("errors", 6), ("requests", 6000)):
                result = [
                    {
                        "metric": {"job": "api", **({label: collector} if label else {})},
                        "values": [[START + 60 * minute + later, str(step * minute)] for minute in range(120)],
                    }
                    for collector, later in (("a", 0), ("b", 7))
                ]
                answers[name] = {"status": "success", "data": {"resultType": "matrix", "result": result[: 2 if label else 1]}}
            return json.dumps(answers)

        once = self.json_of(document(None))[1]["windows"][2]["total"]
        self.assertAlmostEqual(self.json_of(document("prometheus_replica"))[1]["windows"][2]["total"], once, delta=6000)
        plan = json.loads((DATA / "plans/slo.json").read_text(encoding="utf-8"))
        plan["metrics"][0] |= {"bad": "errors", "total": "requests", "counter": True}
        for labels, factor in ((None, 2), (["collector"], 1)):
            if labels:
                plan["replica_labels"] = labels
            done = self.run_with(
                {"plan.json": plan}, document("collector"), "data.csv", "--plan", "plan.json", "--format", "json"
            )
            found = json.loads(done.stdout)
            hour = next(window for window in found["windows"] if window["window"] == "1h")
            self.assertAlmostEqual(hour["total"], factor * once, delta=6000 * factor)

    def test_one_target_read_twice_under_other_labels(self):
        """It is named, and nothing is promoted on events that count twice."""
        answers = {}
        for name, step in (("errors", 0), ("requests", 6000)):
            values = [[START + 60 * minute, str(step * minute + 50 * (minute % 2) * (step > 0))] for minute in range(120)]
            answers[name] = {"status": "success", "data": {"resultType": "matrix", "result": [
                {"metric": {"job": "api", "collector": collector}, "values": values} for collector in "ab"]}}
        twice = self.run_burn(json.dumps(answers), "--target", "99.9%")
        self.assertEqual((twice.returncode, twice.stdout[:2]), (TICKET, "OK"), twice)
        self.assertEqual(twice.stderr, 'serinus: note: requests{collector="a",job="api"} and requests{collector="b",job="api"} of the '
                         'baseline are equal sample by sample: if one target is scraped twice, all of its events count twice; '
                         'name the label that tells its collectors apart in the plan\'s "replica_labels"\n')

    def test_a_page(self):
        code, found = self.json_of(table(0.02, from_hour=28))
        self.assertEqual((code, found["firing"]), (PAGE, "page"))
        self.assertEqual(found["conditions"][0]["state"], "firing")

    def test_a_ticket(self):
        code, found = self.json_of(table(0.002))
        self.assertEqual((code, found["firing"]), (TICKET, "ticket"))

    def test_too_few_events(self):
        code, found = self.json_of(table(0.002), "--min-events", "100000000")
        self.assertEqual((code, found["firing"]), (TICKET, None))
        self.assertEqual(found["conditions"][3]["status"], "insufficient")

    def test_no_data(self):
        self.assertEqual(self.run_burn(table(0), "--budget", "0.001", "--arm", "canary").returncode, NO_DATA)
        self.assertEqual(self.run_burn(table(0), "--budget", "0.001", "--now", str(START - 60)).returncode, NO_DATA)

    def test_text(self):
        done = self.run_burn(table(0.02, from_hour=28), "--target", "99.9%")
        self.assertEqual(done.returncode, PAGE)
        self.assertTrue(done.stdout.startswith("PAGE  budget 0.1 % of events in 30d   at 2026-11-24T03:20:00Z\n"), done.stdout)
        for part in ("window", "1h        20x", "page.quick    firing", "more than 14.4x in 1h and 5m", "consumed"):
            self.assertIn(part, done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        self.assertNotIn("█", done.stdout)

    def test_a_condition_that_only_informs(self):
        policy = {"policy": [dict(QUICK, severity="info")]}
        done = self.run_with({"policy.json": policy}, table(0.02, from_hour=28), "data.csv", "--bad", "errors",
                             "--total", "requests", "--target", "99.9%", "--policy", "policy.json")
        self.assertEqual((done.returncode, done.stderr), (NOTHING, ""))
        self.assertIn("firing", done.stdout)

    def test_counts_that_cannot_be(self):
        negative = table(0.02).replace(f"{START + 60},errors,baseline,", f"{START + 60},errors,baseline,-")
        done = self.run_burn(negative, "--target", "99.9%")
        self.assertEqual(done.returncode, ERROR)
        self.assertRegex(done.stderr, r'--bad: "errors" is -\d+ at 2026-11-\d\dT.*; allowed: 0 or more')
        exchanged = self.run_with({}, table(0.02), "data.csv", "--bad", "requests", "--total", "errors",
                                  "--target", "99.9%")
        self.assertIn("are the series exchanged?", exchanged.stdout)

    def test_more_good_than_all(self):
        content = (DATA / "cases/good-above-total.csv").read_text(encoding="utf-8")
        done = self.run_with({}, content, "data.csv", "--good", "good", "--total", "requests", "--target", "99%")
        self.assertEqual((done.returncode, done.stdout), (ERROR, ""))
        self.assertRegex(done.stderr, r'--good: "good" has counted \d+ by 2027-01-15T.*, "requests" \d+; allowed: at most as '
                                      "many good events as all")

    def test_errors_born_with_the_first_one(self):
        lines = ["timestamp,series,arm,value"]
        for minute in range(61):
            lines.append(f"{START + 60 * minute},requests,baseline,{70000 + 1000 * minute}")
            if minute >= 30:
                lines.append(f"{START + 60 * minute},errors,baseline,{3 if minute < 40 else 5}")
        code, found = self.json_of("\n".join(lines) + "\n", "--windows", "10m")
        self.assertEqual(code, NOTHING)
        hour = next(w for w in found["windows"] if w["window"] == "1h")
        self.assertEqual((hour["bad"], hour["total"]), (5, 60000))
        # Before the first error there was none; with Prometheus' words nothing is known of it.
        at = ("--now", str(START + 60 * 20))
        window = self.json_of("\n".join(lines) + "\n", *at)[1]["windows"][0]
        self.assertEqual((window["status"], window["bad"]), ("ok", 0))
        window = self.json_of("\n".join(lines) + "\n", *at, "--semantics", "prometheus3")[1]["windows"][0]
        self.assertEqual(window["status"], "absent")

    def test_a_dip_is_no_restart(self):
        content = table(0.0005)
        fallen = content.replace(f"{START + 6000},requests,baseline,{6000 * 100}\n",
                                 f"{START + 6000},requests,baseline,{6000 * 99 - 1}\n")
        self.assertNotEqual(fallen, content)
        right, found = self.json_of(content)[1], self.json_of(fallen)[1]
        self.assertEqual(found["windows"], right["windows"])
        self.assertEqual((found["samples"]["dips"], found["samples"]["resets"]), (1, 0))
        self.assertIn("1 fall and cannot have begun again", self.run_burn(fallen, "--target", "99.9%").stdout)

    def test_windows_without_traffic_are_no_alert(self):
        lines = ["timestamp,series,arm,value"]
        for minute in range(180):
            lines += [f"{START + 60 * minute},requests,baseline,1000", f"{START + 60 * minute},errors,baseline,900"]
        code, found = self.json_of("\n".join(lines) + "\n")
        self.assertEqual((code, found["firing"]), (NOTHING, None))
        self.assertEqual({w["status"] for w in found["windows"]}, {"no_traffic"})

    def test_counters_and_counts_taken_for_each_other(self):
        done = self.run_burn(table(0.02), "--target", "99.9%", "--deltas")
        self.assertIn('note: "requests" never falls in', done.stderr)
        self.assertIn("leave out --deltas", done.stderr)
        lines = ["timestamp,series,arm,value"]
        for minute in range(60):
            lines += [f"{START + 60 * minute},requests,baseline,{1000 + minute * 37 % 11}",
                      f"{START + 60 * minute},errors,baseline,{minute * 7 % 3}"]
        done = self.run_burn("\n".join(lines) + "\n", "--target", "99.9%")
        self.assertEqual((done.returncode, done.stdout), (NO_DATA, ""))
        self.assertRegex(done.stderr, r'serinus: "requests" falls in \d+ of 59 steps, as no cumulative counter does, and no burn rate is '
                                      r"told of it: counts an interval need --deltas")

    def test_a_terminal_has_sparklines(self):
        done = self.run_burn(table(0.02, from_hour=28), "--target", "99.9%", "--color", "always")
        self.assertIn("█", done.stdout)
        self.assertIn("\x1b[1;31mPAGE", done.stdout)

    def test_sparklines_on_a_real_terminal(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "data.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write(table(0.02, from_hour=28))
            leader, follower = pty.openpty()
            command = [SERINUS, "burn", path, "--bad", "errors", "--total", "requests", "--target", "99.9%"]
            environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
            with subprocess.Popen(command, stdout=follower, env=environment) as running:
                os.close(follower)
                shown = b""
                try:
                    while part := os.read(leader, 65536):
                        shown += part
                except OSError:  # the program has closed its end
                    pass
            os.close(leader)
            self.assertEqual(running.returncode, PAGE)
        lines = [line for line in shown.decode().splitlines() if line.startswith("  ") and "x " in line]
        # Twenty-four looks a window, a twelfth of it apart, after two hours of errors: of five minutes all are alike, of
        # an hour the first twelve rise, of a month the last one alone has data.
        drawn = {line.split()[0]: line[74:] for line in lines}
        self.assertEqual(drawn["5m"], "█" * 24)
        self.assertEqual((drawn["1h"][0], drawn["1h"][-13:], len(drawn["1h"])), ("▂", "█" * 13, 24))
        self.assertEqual(drawn["1h"], "".join(sorted(drawn["1h"])))
        self.assertEqual(drawn["30d"], " " * 23 + "█")

    def run_rules(self, *arguments):
        command = [SERINUS, "burn", "--rules", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_rules(self):
        selectors = ("--bad", 'http_requests_total{code=~"5.."}', "--total", "http_requests_total")
        done = self.run_rules("--name", "checkout", "--target", "99.9%", "--min-events", "100", *selectors)
        self.assertEqual((done.returncode, done.stderr), (NOTHING, ""))
        self.assertTrue(done.stdout.startswith("# Error budget of checkout: 0.001 of all events in 30d\ngroups:\n"))
        for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d"):
            self.assertIn(f"- record: serinus:error_ratio:increase{window}\n", done.stdout)
        self.assertEqual(done.stdout.count("- alert: ErrorBudgetBurn\n"), 4)
        self.assertIn(">= 100)", done.stdout)
        if shutil.which("promtool"):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "rules.yml")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(done.stdout)
                command = ["promtool", "check", "rules", path]
                checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                self.assertIn("11 rules found", checked.stdout)

    def test_rules_take_the_queries_of_the_plan(self):
        plan = json.loads((DATA / "cases/plan_slo.json").read_text(encoding="utf-8"))
        done = self.run_with({"plan.json": plan}, "", "--rules", "--plan", "plan.json")
        self.assertEqual((done.returncode, done.stderr), (NOTHING, ""))
        bad = r'http_requests_total{job=\"JOB\",code=~\"5..\"}'
        self.assertIn(f'sum(increase({bad}[5m])) / sum(increase(' r'http_requests_total{job=\"JOB\"}[5m]))', done.stdout)
        self.assertNotIn("http_errors", done.stdout)
        plan["queries"]["http_errors"] = "sum(http_errors_total) or vector(0)"
        done = self.run_with({"plan.json": plan}, "", "--rules", "--plan", "plan.json")
        self.assertEqual((done.returncode, done.stdout), (ERROR, ""))
        self.assertIn('the plan\'s query for "http_errors" is "sum(http_errors_total) or vector(0)"; allowed with --rules: '
                      "a selector, or the sum of one, or --bad SELECTOR", done.stderr)

    def test_rules_of_a_plan(self):
        plan = json.loads((DATA / "plans/slo.json").read_text(encoding="utf-8"))
        plan["slo"][0] |= {"policy": [{**QUICK, "for": "3m"}], "min_events": 50}
        arguments = ("--rules", "--plan", "plan.json")
        done = self.run_with({"plan.json": plan}, "", *arguments)
        self.assertEqual((done.returncode, done.stderr), (NOTHING, ""))
        self.assertIn("sum(increase(http_errors[5m])) / sum(increase(http_requests[5m]))", done.stdout)
        for part in ('slo: "availability"', "for: 3m", ">= 50)", 'condition: "quick"'):
            self.assertIn(part, done.stdout)
        for part in ("keep_firing_for", "interval:", "ErrorBudgetNoData"):
            self.assertNotIn(part, done.stdout)
        more = ("--interval", "30s", "--for", "2m", "--keep-firing-for", "5m", "--no-data", "ticket")
        done = self.run_with({"plan.json": plan}, "", *arguments, *more, "--bad", 'n{code="500"}', "--total", "n")
        for part in (
            r"sum(increase(n{code=\"500\"}[5m]))",
            "    interval: 30s\n",
            "        for: 2m\n",
            "        keep_firing_for: 5m\n",
            "ErrorBudgetNoData",
            "severity: ticket",
        ):
            self.assertIn(part, done.stdout)
        if shutil.which("promtool"):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "rules.yml")
                # Prometheus knows keep_firing_for since 2.42.
                pathlib.Path(path).write_text(done.stdout, encoding="utf-8")
                checked = subprocess.run(
                    ["promtool", "check", "rules", path], capture_output=True, text=True, timeout=60, check=False
                )
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_rules_usage(self):
        promise = ("--name", "checkout", "--target", "99.9%", "--bad", "e", "--total", "n")
        for arguments, part in (
            ((), "--name is missing"),
            (promise[2:], "--name is missing"),
            (promise[:4], "bad is "),
            (promise[:6], "total is "),
            (promise[:2] + promise[4:], "--target and --budget"),
            ((*promise, "data.csv"), "DATA is given with --rules"),
            ((*promise, "--good", "fine"), "--good is given with --rules"),
            ((*promise, "--deltas"), "--deltas is given with --rules"),
            ((*promise, "--format", "json"), "--format json is given with --rules"),
            ((*promise, "--min-probability", "0.95"), "min_probability"),
        ):
            done = self.run_rules(*arguments)
            self.assertEqual(done.returncode, ERROR, arguments)
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stdout, "")
        done = subprocess.run([SERINUS, "burn", *promise], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, ERROR)
        self.assertIn("DATA is missing", done.stderr)

    def test_usage(self):
        for arguments, part in (
            ((), "--target and --budget"),
            (("--target", "99.9%", "--budget", "0.001"), "--target and --budget"),
            (("--target", "100%"), "serinus.slo.target"),
            (("--budget", "x"), "--budget"),
            (("--budget", "0.07"), "14.4 x 0.07 = 1.008"),
            (("--budget", "0.001", "--good", "fine"), "two of the three"),
            (("--budget", "0.001", "--windows", "5 minutes"), "--windows"),
            (("--budget", "0.001", "--now", "noon"), "--now"),
            (("--budget", "0.001", "--semantics", "raw"), "--semantics"),
        ):
            done = self.run_burn(table(0, hours=1), *arguments)
            self.assertEqual(done.returncode, ERROR, arguments)
            self.assertIn(part, done.stderr)
            self.assertEqual(done.stdout, "")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    options, rest = parser.parse_known_args()
    SERINUS = os.path.abspath(options.serinus)  # also from another folder
    unittest.main(argv=[sys.argv[0], *rest])
