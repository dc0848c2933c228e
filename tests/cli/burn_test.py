"""`serinus burn` as a stranger meets it: what it says, and its exit codes.

    burn_test.py --serinus PROGRAM
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
NOTHING, PAGE, ERROR, TICKET, NO_DATA = 0, 1, 2, 3, 4
START = 1795382400


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

    def test_a_terminal_has_sparklines(self):
        done = self.run_burn(table(0.02, from_hour=28), "--target", "99.9%", "--color", "always")
        self.assertIn("█", done.stdout)
        self.assertIn("\x1b[1;31mPAGE", done.stdout)

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
    SERINUS = options.serinus
    unittest.main(argv=[sys.argv[0], *rest])
