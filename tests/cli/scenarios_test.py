"""The scenarios of data/scenarios: each release is decided as its labels say, and the page shows what the program prints.

    scenarios_test.py --serinus PROGRAM
    scenarios_test.py --serinus PROGRAM --write    writes the blocks of docs/concepts/scenarios.md
"""

import argparse
import csv
import json
import pathlib
import re
import subprocess
import sys
import unittest

SERINUS = ""
ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "data" / "scenarios"
PAGE = ROOT / "docs" / "concepts" / "scenarios.md"
# A block of the page: a command behind "$ ", and what it prints.
BLOCK = re.compile(r"(```\n\$ serinus ([^\n]+)\n)(.*?)(```\n)", re.DOTALL)


def serinus(*arguments):
    result = subprocess.run([SERINUS, *arguments], cwd=ROOT, capture_output=True, timeout=300, check=False)
    return result.returncode, result.stdout.decode(), result.stderr.decode()


def printed(command):
    return serinus(*command.split())[1]


class Scenarios(unittest.TestCase):
    def decided(self, scenario):
        with open(SCENARIOS / scenario / "labels.csv", encoding="utf-8") as lines:
            expected = {row["release"]: (row["decision"], row["decided_by"].split()) for row in csv.DictReader(lines)}
        code, out, err = serinus("backtest", f"data/scenarios/{scenario}/plan.json", f"data/scenarios/{scenario}", "--format", "json")
        self.assertEqual((code, err), (0, ""))
        document = json.loads(out)
        found = {release["name"]: (release["decision"], release["decided_by"]) for release in document["releases"]}
        self.assertEqual(found, expected)
        self.assertEqual(set(expected), {path.name for path in (SCENARIOS / scenario).iterdir() if path.is_dir()})
        return {release["name"]: release for release in document["releases"]}

    def reasons(self, release):
        return {f"{reason['metric']}.{reason['code']}" if "metric" in reason else reason["code"] for reason in release["reasons"]}

    def test_payments_are_rolled_back_if_any_check_fails(self):
        releases = self.decided("payments")
        self.assertEqual(releases["good"]["stage"], 3)
        self.assertLess(releases["errors"]["minutes"], 20)  # at 1 % of the traffic
        self.assertEqual(releases["declined"]["stage"], 1)  # held there until it is proven
        self.assertEqual({release["unready"] for release in releases.values()}, {0})
        self.assertEqual(releases["slow"]["stage"], 2)  # it is slow from 10 % on
        for stage, minute in ((1, 20), (2, 40)):  # every stage was left because the plan said so
            now = 1795382400 + 60 * minute - 1
            code, out, _ = serinus("judge", "data/scenarios/payments/plan.json", "data/scenarios/payments/good/rollout.csv.gz",
                                   "--now", str(now), "--format", "json")
            self.assertEqual((code, json.loads(out)["stage"], json.loads(out)["decision"]), (0, stage, "promote"))

    def test_serverless(self):
        releases = self.decided("serverless")
        self.assertEqual((releases["good"]["stage"], releases["good"]["minutes"] >= 120), (2, True))
        self.assertEqual({releases[name]["stage"] for name in ("cold", "slow", "failing")}, {1})

    def test_a_config_error_its_patch_and_its_recurrence(self):
        releases = self.decided("redeploy")
        self.assertLessEqual(releases["1-broken"]["minutes"], 2)  # the time to detect
        self.assertLessEqual(releases["3-recurs"]["minutes"] - 15, 20)  # since it came back
        self.assertGreaterEqual(releases["2-patched"]["minutes"], 30)
        self.assertIn("config_errors.harm_proven", self.reasons(releases["3-recurs"]))

    def test_cost_against_performance(self):
        self.decided("cost")

    def test_failures(self):
        releases = self.decided("failures")
        self.assertIn("errors.sick_baseline", self.reasons(releases["f1-partial-rollback"]))
        self.assertIn("errors.stale", self.reasons(releases["f9-gap"]))
        self.assertIn("errors.canary_silent", self.reasons(releases["f9-gap"]))

    def test_what_is_there_is_what_is_made(self):
        result = subprocess.run([sys.executable, SCENARIOS / "make.py", "--check"], capture_output=True, timeout=300, check=False)
        self.assertEqual((result.returncode, result.stderr.decode()), (0, ""), result.stdout.decode())

    def test_they_are_small(self):
        self.assertLess(sum(path.stat().st_size for path in SCENARIOS.rglob("*") if path.is_file()), 2_000_000)

    def test_the_page_shows_what_is_printed(self):
        blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
        self.assertGreaterEqual(len(blocks), 5)
        for _, command, shown, _ in blocks:
            with self.subTest(command):
                self.assertEqual(printed(command), shown)


def main():
    global SERINUS
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    parser.add_argument("--write", action="store_true")
    known, rest = parser.parse_known_args()
    SERINUS = str(pathlib.Path(known.serinus).resolve())
    if known.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(BLOCK.sub(lambda found: found[1] + printed(found[2]) + found[4], text), encoding="utf-8")
        return
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
