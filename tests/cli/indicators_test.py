"""`serinus indicators` as a stranger meets it: what it says, and its exit codes.

    indicators_test.py --serinus PROGRAM
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
PASS, FAIL, ERROR, OPEN, NONE = 0, 1, 2, 3, 4
DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
TEAM = str(DATA / "delivery" / "deployments.jsonl")


class Indicators(unittest.TestCase):
    def run_it(self, *given, code, text=None):
        done = subprocess.run([SERINUS, "indicators", *given], input=text, capture_output=True, text=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_a_team(self):
        told = self.run_it(TEAM, code=OPEN)
        self.assertTrue(told.startswith("0 FAIL, 7 PASS, 3 OPEN, 0 WITHOUT DATA\n  60 deployments, 66 pipeline runs"), told)
        self.assertIn("6 failures were flaky", told)
        self.assertIn("7 deployments waited for a person", told)
        document = json.loads(self.run_it(TEAM, "--format", "json", code=OPEN))
        self.assertEqual(len(document["indicators"]), 10)
        page = self.run_it(TEAM, "--format", "html", code=OPEN)
        self.assertTrue(page.startswith("<!DOCTYPE html>"))
        self.assertNotIn("<script", page)
        self.assertIn("<svg", page)

    def test_targets(self):
        self.run_it(TEAM, "--target", "deployment_success_rate=99.99%", code=FAIL)
        told = self.run_it(TEAM, "--target", "deployment_success_rate=80%", "--target", "canary_pass_rate=0.8",
                           "--target", "mean_time_to_roll_back=1e9", code=OPEN)
        self.assertIn("at least 80 %", told)
        self.assertIn("serinus.argument.word", self.run_it(TEAM, "--target", "success=1", code=ERROR))
        self.assertIn("serinus.argument.range", self.run_it(TEAM, "--target", "cost_delta=much", code=ERROR))

    def test_what_deploy_tools_write(self):
        files = sorted(str(path) for path in (DATA / "delivery").glob("*.json"))
        told = self.run_it(*files, code=OPEN)
        self.assertIn("2 deployments, 0 pipeline runs", told)
        self.assertIn("dev.cdevents.incident.resolved.0.3.0", told)

    def test_nothing_and_nonsense(self):
        self.assertIn("10 WITHOUT DATA", self.run_it("-", text="", code=NONE))
        self.assertIn("10 WITHOUT DATA", self.run_it("-", text='{"level": "info"}\n', code=NONE))
        told = self.run_it("-", text="{}\nnonsense\n", code=ERROR)
        self.assertIn("serinus.data.document: standard input: line 2 is no JSON", told)
        self.assertIn("serinus.file.read", self.run_it("nowhere.jsonl", code=ERROR))
        self.run_it(code=ERROR)

    def test_hostile_names(self):
        name = "</script><script>alert(1)</script>\x1b[31m\n\"&'"
        events = [{"event": "deployment_started", "deployment": name, "time": time} for time in (10, 20)]
        log = "".join(json.dumps(event) + "\n" for event in events)
        for form in ("text", "json", "html"):
            told = self.run_it("-", "--format", form, text=log, code=NONE)
            self.assertNotIn("\x1b", told)
            if form == "html":
                self.assertNotIn("<script", told)
                self.assertIn("&lt;script&gt;", told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    given, rest = parser.parse_known_args()
    SERINUS = given.serinus
    unittest.main(argv=[sys.argv[0], *rest])
