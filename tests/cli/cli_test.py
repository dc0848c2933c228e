"""The program as a stranger meets it: good data, bad data, no data, and the exit code of each.

    cli_test.py --serinus PROGRAM
"""

import argparse
import gzip
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
PROMOTE, ROLLBACK, ERROR, HOLD, NO_DATA = 0, 1, 2, 3, 4
START = 1795382489
INTERVALS = 90
HEADER = "timestamp,series,arm,value\n"


def plan(**changes):
    """A plan of one metric; a change of None removes the key."""
    document = {
        "name": "payments",
        "deployment": "payments-2026.11.22-1",
        "alpha": 0.05,
        "interval": "10s",
        "stages": [{"traffic": 0.1, "min": "10m"}, {"traffic": 0.5, "min": "10m"}],
        "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
                     "margin": {"ratio": 2.0}}],
    }
    for key, value in changes.items():
        if value is None:
            document.pop(key, None)
        else:
            document[key] = value
    return document


def metric(**changes):
    return {**plan()["metrics"][0], **changes}


def sample(time, series, arm, value):
    return f"{time},{series},{arm},{value}\n"


def rows(canary_share, intervals=INTERVALS, baseline_share=0.02, seed=1, arms=("baseline", "canary"), start=START):
    """One row a sample: 2,000 baseline and 400 canary requests an interval, give or take."""
    source = random.Random(seed)
    all_rows = []
    for i in range(intervals):
        for arm, size, share in (("baseline", 2000, baseline_share), ("canary", 400, canary_share)):
            total = size + source.randrange(-50, 51)
            spread = math.sqrt(total * share * (1 - share))
            bad = min(total, max(0, round(source.gauss(total * share, spread))))
            if arm in arms:
                all_rows.append(sample(start + 10 * i, "http_requests", arm, total))
                all_rows.append(sample(start + 10 * i, "http_errors", arm, bad))
    return all_rows


def csv(canary_share, **options):
    return HEADER + "".join(rows(canary_share, **options))


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        if isinstance(content, dict):
            content = json.dumps(content)
        if isinstance(content, str):
            content = content.encode()
        with open(path, "wb") as out:
            out.write(content)
        return path

    def run_program(self, *arguments, stdin=b"", environment=None):
        clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
        return subprocess.run([SERINUS, *arguments], input=stdin, capture_output=True, timeout=120,
                              env={**clean, **(environment or {})})

    def judge(self, the_plan, data, *arguments, **options):
        """Runs `serinus judge` and checks what holds for every outcome."""
        result = self.run_program("judge", self.file("plan.json", the_plan), self.file("data.csv", data), *arguments,
                                  **options)
        self.check_outcome(result)
        return result

    def check_outcome(self, result):
        self.assertIn(result.returncode, (PROMOTE, ROLLBACK, ERROR, HOLD, NO_DATA), result)
        if result.returncode == ERROR:
            self.assertEqual(result.stdout, b"")
            self.assertRegex(result.stderr.decode(), r"\Aserinus: (usage|serinus\.[a-z]+\.[a-z_]+): [^\n]+\n\Z")
        else:
            self.assertEqual(result.stderr, b"")
            self.assertTrue(result.stdout.endswith(b"\n"))

    def expect_error(self, result, code, *parts):
        self.assertEqual(result.returncode, ERROR, result)
        self.check_outcome(result)
        text = result.stderr.decode()
        self.assertTrue(text.startswith(f"serinus: {code}: "), text)
        for part in parts:
            self.assertIn(part, text)

    def decision(self, the_plan, data, *arguments):
        result = self.judge(the_plan, data, "--format", "json", *arguments)
        self.assertNotEqual(result.returncode, ERROR, result.stderr)
        return result.returncode, json.loads(result.stdout)

    def codes(self, decision):
        of_metrics = [reason["code"] for each in decision["metrics"] for reason in each["reasons"]]
        return {reason["code"] for reason in decision["reasons"]} | set(of_metrics)


class Outcomes(Case):
    def test_promote(self):
        result = self.judge(plan(), csv(0.02))
        self.assertEqual(result.returncode, PROMOTE, result.stdout.decode())
        self.assertTrue(result.stdout.startswith(b"PROMOTE  payments-2026.11.22-1   stage 1 of 2, 10 % of traffic"))
        self.assertIn(b"move traffic to stage 2 (50 %)", result.stdout)

    def test_rollback(self):
        result = self.judge(plan(), csv(0.08))
        self.assertEqual(result.returncode, ROLLBACK, result.stdout.decode())
        self.assertTrue(result.stdout.startswith(b"ROLLBACK  "))
        self.assertIn(b"errors.harm_proven", result.stdout)

    def test_hold(self):
        result = self.judge(plan(), csv(0.02, intervals=12))
        self.assertEqual(result.returncode, HOLD, result.stdout.decode())
        self.assertTrue(result.stdout.startswith(b"HOLD  "))
        self.assertIn(b"stage_minimum", result.stdout)

    def test_no_data(self):
        result = self.judge(plan(), HEADER + sample(START, "something_else", "canary", 1))
        self.assertEqual(result.returncode, NO_DATA, result.stdout.decode())
        self.assertIn(b"the plan names http_errors, http_requests; the data hold something_else", result.stdout)

    def test_json_and_text_agree(self):
        for share in (0.02, 0.08):
            text = self.judge(plan(), csv(share))
            code, decision = self.decision(plan(), csv(share))
            self.assertEqual(code, text.returncode)
            self.assertEqual(decision["decision"].upper(), text.stdout.decode().split(" ")[0])

    def test_the_last_stage_finishes(self):
        staged = "timestamp,series,arm,value,stage\n"
        staged += "".join(row.rstrip("\n") + ",1\n" for row in rows(0.02))
        staged += "".join(row.rstrip("\n") + ",2\n" for row in rows(0.02, seed=2, start=START + 10 * INTERVALS))
        code, decision = self.decision(plan(), staged)
        self.assertEqual((code, decision["stage"], decision["finished"]), (PROMOTE, 2, True))

    def test_the_same_again(self):
        self.assertEqual(self.judge(plan(), csv(0.03)).stdout, self.judge(plan(), csv(0.03)).stdout)


class Faces(Case):
    def test_help(self):
        for arguments in (["--help"], ["judge", "--help"], ["-h"]):
            result = self.run_program(*arguments)
            self.assertEqual(result.returncode, 0)
            self.assertIn(b"Exit codes:", result.stdout)
            self.assertEqual(result.stderr, b"")
        self.assertIn(b"serinus judge plan.json data.csv", result.stdout + self.run_program("judge", "--help").stdout)

    def test_version(self):
        for arguments in (["version"], ["--version"]):
            result = self.run_program(*arguments)
            self.assertEqual(result.returncode, 0)
            self.assertRegex(result.stdout.decode(), r"\Aserinus \d+\.\d+\.\d+\n")

    def test_usage(self):
        path = self.file("plan.json", plan())
        for arguments in ([], ["judge"], ["judge", path], ["judge", path, path, "--format", "xml"], ["guess", path],
                          ["judge", path, path, "--color", "blue"], ["judge", path, path, "--nonsense"],
                          ["judge", path, path, "--now"], ["judge", path, "-", "-"],
                          ["judge", path, path, "--format", "text", "--format", "json"]):
            result = self.run_program(*arguments)
            self.expect_error(result, "usage")

    def test_usage_errors_name_what_is_wrong_and_their_own_help(self):
        path = self.file("plan.json", plan())
        commands = "init, judge, report, together, check, calibrate, backtest, burn, replay, indicators, version"
        for arguments, says in (
                ([], "A subcommand is required; serinus --help says more"),
                (["guess", path], f'"guess" is no command; allowed: {commands}; serinus --help says more'),
                (["judge"], "PLAN is required; serinus judge --help says more"),
                (["judge", path, path, "--nonsense"],
                 "The following argument was not expected: --nonsense; serinus judge --help says more"),
                (["check", path, "--color", "blue"],
                 "--color: blue not in {auto,always,never}; serinus check --help says more"),
                (["burn", path, "--min-events", "many"],
                 "Could not convert: --min-events = many; serinus burn --help says more"),
                (["calibrate", path, "-", "-"],
                 "HISTORY names standard input (-) more than once; it can be read once; serinus calibrate --help says more")):
            result = self.run_program(*arguments)
            self.assertEqual((result.returncode, result.stderr.decode()), (ERROR, f"serinus: usage: {says}\n"))

    def test_one_of_anything_is_no_plural(self):
        all_rows = rows(0.02, intervals=60)
        all_rows[41] = re.sub(r"\d+\n", "9000000\n", all_rows[41])  # more errors than requests
        out = re.sub(r"\s+", " ", self.judge(plan(), HEADER + "".join(all_rows)).stdout.decode())
        self.assertIn("1 interval left out", out)
        self.assertNotRegex(out, r"\b1 (interval|row|sample|metric|instance|request)s\b")

    def test_large_numbers_have_one_form(self):
        text = re.sub(r"\s+", " ", self.judge(plan(), csv(0.3)).stdout.decode())
        self.assertNotRegex(text, r"\d{5,}|million|billion|\de\+?\d")
        self.assertRegex(text, r"evidence 10\^[\d,]+, needs 20")

    def test_standard_input_and_several_files(self):
        whole = self.judge(plan(), csv(0.08))
        path = self.file("plan.json", plan())
        piped = self.run_program("judge", path, "-", stdin=csv(0.08).encode())
        all_rows = rows(0.08)
        first = self.file("requests.csv", HEADER + "".join(row for row in all_rows if "requests" in row))
        second = self.file("errors.csv", HEADER + "".join(row for row in all_rows if "errors" in row))
        split = self.run_program("judge", path, second, first)
        halves = self.run_program("judge", path, self.file("b.csv", HEADER + "".join(all_rows[200:])),
                                  self.file("a.csv", HEADER + "".join(all_rows[:200])))
        for other in (piped, split, halves):
            self.assertEqual(other.stdout, whole.stdout)
            self.assertEqual(other.returncode, whole.returncode)

    def test_stages_of_several_files(self):
        def part(series, first, shift):
            table = "timestamp,series,arm,value,stage\n"
            for row in rows(0.02, start=START + shift):
                if series in row:
                    time = int(row.split(",")[0])
                    table += row.rstrip("\n") + f",{1 if time < START + first else 2}\n"
            return table

        path = self.file("plan.json", plan())
        good = self.run_program("judge", path, self.file("a.csv", part("requests", 300, 0)),
                                self.file("b.csv", part("errors", 300, 0)), "--format", "json")
        self.assertEqual(json.loads(good.stdout)["stage"], 2)
        early = HEADER.rstrip("\n") + ",stage\n" + sample(START - 50, "http_requests", "canary", 1).rstrip("\n") + ",2\n"
        bad = self.run_program("judge", path, self.file("a.csv", part("requests", 300, 0)), self.file("c.csv", early))
        self.expect_error(bad, "serinus.data.order", "stage 2 begins at")

    def test_prometheus_document(self):
        document = {}
        for series in ("http_requests", "http_errors"):
            result = []
            for arm, track in (("baseline", "old"), ("canary", "new")):
                values = [[int(row.split(",")[0]), row.rstrip("\n").split(",")[3]]
                          for row in rows(0.08) if f",{series},{arm}," in row]
                result.append({"metric": {"version": track, "instance": "web-1"}, "values": values})
            document[series] = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        arms = {"label": "version", "baseline": "old", "canary": "new"}
        self.assertEqual(self.judge(plan(arms=arms), json.dumps(document)).stdout, self.judge(plan(), csv(0.08)).stdout)
        self.expect_error(self.judge(plan(), json.dumps(document)), "serinus.data.arm", "data.csv", "track")

    def test_now(self):
        full = csv(0.08)
        until = START + 10 * 30
        part = HEADER + "".join(row for row in rows(0.08) if int(row.split(",")[0]) <= until)
        now = ["--now", str(until)]
        self.assertEqual(self.judge(plan(), full, *now).stdout, self.judge(plan(), part, *now).stdout)
        code, decision = self.decision(plan(), csv(0.02), "--now", str(START - 3600))
        self.assertEqual((code, decision["decision"]), (NO_DATA, "hold"))
        code, decision = self.decision(plan(), csv(0.02), "--now", str(START + 86400))
        self.assertEqual(code, HOLD)
        self.assertIn("stale", self.codes(decision))
        settled = self.decision(plan(settle="30s"), csv(0.02), "--now", str(START + 600))[1]
        self.assertEqual(settled["telemetry"]["intervals"], 57)
        self.expect_error(self.judge(plan(), full, "--now", "yesterday"), "serinus.data.timestamp", "--now", "yesterday")

    def test_now_with_stages(self):
        staged = "timestamp,series,arm,value,stage\n"
        staged += "".join(row.rstrip("\n") + ",1\n" for row in rows(0.02))
        staged += "".join(row.rstrip("\n") + ",2\n" for row in rows(0.02, seed=2, start=START + 10 * INTERVALS))
        middle = self.decision(plan(), staged, "--now", str(START + 10 * INTERVALS - 5))[1]
        self.assertEqual((middle["decision"], middle["stage"]), ("promote", 1))
        code, end = self.decision(plan(), staged, "--now", str(START + 20 * INTERVALS))
        self.assertEqual((code, end["stage"], end["finished"]), (PROMOTE, 2, True))
        self.assertEqual(end["telemetry"]["used"], INTERVALS)

    def test_a_page_for_people(self):
        """HTML and Markdown say what the text says, with the same exit codes; JSON readers are not surprised."""
        page = self.judge(plan(), csv(0.08), "--format", "html")
        self.assertEqual(page.returncode, ROLLBACK)
        self.assertTrue(page.stdout.startswith(b"<!DOCTYPE html>"), page.stdout[:100])
        self.assertEqual(page.stdout.count(b"<polyline"), 4)
        self.assertNotIn(b"<script", page.stdout)
        summary = self.judge(plan(), csv(0.08), "--format", "markdown")
        self.assertEqual(summary.returncode, ROLLBACK)
        self.assertIn("ROLLBACK", summary.stdout.decode().splitlines()[0])
        self.assertEqual(self.judge(plan(), csv(0.01), "--format", "html").returncode, PROMOTE)

    def test_pipelines(self):
        """Every form has the exit code of its decision, and a summary only where one is asked for."""
        starts = {"github": b"::error title=ROLLBACK%3A payments-2026.11.22-1::", "junit": b"<?xml version",
                  "openmetrics": b"# HELP serinus_decision ", "cdevents": b'{"context":{"specversion":"0.5.1"'}
        summary = os.path.join(self.folder, "summary.md")
        for number, (form, start) in enumerate(starts.items(), 1):
            told = self.judge(plan(), csv(0.08), "--format", form, "--summary", summary,
                              environment={"GITHUB_STEP_SUMMARY": os.path.join(self.folder, "untouched")})
            self.assertEqual(told.returncode, ROLLBACK)
            self.assertTrue(told.stdout.startswith(start), told.stdout[:100])
            with open(summary, encoding="utf-8") as file:
                self.assertEqual(file.read().count("ROLLBACK"), number)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "untouched")))
        self.assertIn(b'"environment":{"id":"eu-1"}', self.judge(
            plan(), csv(0.08), "--format", "cdevents", "--environment", "eu-1").stdout)
        self.expect_error(self.judge(plan(), csv(0.08), "--format", "cdevents", "--environment", ""),
                          "serinus.argument.range", "the environment is empty")
        path = self.file("plan.json", plan())
        nowhere = self.run_program("judge", path, self.file("data.csv", csv(0.02)), "--summary", self.folder + "/no/file")
        self.assertEqual(nowhere.returncode, ERROR)
        self.assertIn(b"serinus.file.write: ", nowhere.stderr)

    def test_hold_exit_code(self):
        """For callers that know only 0 and not 0."""
        path = self.file("plan.json", plan())
        few, none = self.file("few.csv", csv(0.02, intervals=12)), self.file("none.csv", HEADER + sample(START, "others", "canary", 1))
        good, bad = self.file("good.csv", csv(0.02)), self.file("bad.csv", csv(0.08))
        for code in (0, 7, 255):
            for data in (few, none):
                self.assertEqual(self.run_program("judge", path, data, "--hold-exit-code", str(code)).returncode, code)
            self.assertEqual(self.run_program("judge", path, good, "--hold-exit-code", str(code)).returncode, PROMOTE)
            self.assertEqual(self.run_program("judge", path, bad, "--hold-exit-code", str(code)).returncode, ROLLBACK)
        for code in ("256", "-1", "1.5", "nan"):
            self.expect_error(self.run_program("judge", path, few, "--hold-exit-code=" + code),
                              "serinus.argument.range", "--hold-exit-code is " + code, "a whole number from 0 to 255")
        self.expect_error(self.run_program("judge", path, few, "--hold-exit-code", "x"), "usage")

    def test_report_of_what_was_written(self):
        """What judge wrote as JSON is shown as judge would have shown it."""
        path, data = self.file("plan.json", plan()), self.file("data.csv", csv(0.08))
        written = self.run_program("judge", path, data, "--format", "json").stdout
        file = self.file("decision.json", written)
        for form in ("json", "github", "junit", "openmetrics", "cdevents"):
            shown = self.run_program("report", file, "--format", form)
            self.assertEqual((shown.returncode, shown.stderr), (0, b""))
            self.assertEqual(shown.stdout, self.run_program("judge", path, data, "--format", form).stdout, form)
        self.assertTrue(self.run_program("report", file).stdout.startswith(b"ROLLBACK  payments-2026.11.22-1"))
        self.assertEqual(self.run_program("report", "-", stdin=written).stdout, self.run_program("report", file).stdout)
        brief = self.run_program("report", file, "--view", "executive").stdout
        self.assertIn(b"reached", brief)
        self.assertNotIn(b"promise", brief)
        everything = re.sub(r"\s+", " ", self.run_program("report", file, "--view", "debug").stdout.decode())
        self.assertIn("errors.harm_proven (", everything)
        self.assertIn("telemetry: intervals 90, used 90", everything)

        # Of decisions one a line the page draws how it came about.
        looks = b""
        for minute in (3, 6, 9, 12):
            then = self.run_program("judge", path, data, "--format", "json", "--now", str(START + 60 * minute)).stdout
            looks += json.dumps(json.loads(then)).encode() + b"\n"
        page = self.run_program("report", self.file("looks.jsonl", looks), "--format", "html")
        self.assertEqual(page.stdout.count(b"<polyline"), 4)
        self.assertTrue(self.run_program("report", file, "--format", "html").stdout.count(b"<polyline") == 0)

        self.expect_error(self.run_program("report", self.file("torn.jsonl", looks + looks[:50])),
                          "serinus.data.document", "torn.jsonl: line 5: ")
        self.expect_error(self.run_program("report", self.file("other.json", plan())), "serinus.data.document",
                          "other.json: line 1: ", "a decision")
        self.expect_error(self.run_program("report", self.file("empty.json", "")), "serinus.data.document", "empty.json")
        self.expect_error(self.run_program("report", "/no/file"), "serinus.file.read", "/no/file")

    def test_stage_and_since(self):
        """Data that do not say their stage: the same as with the column that would say it."""
        begins = START + 10 * INTERVALS
        all_rows = rows(0.02) + rows(0.02, seed=2, start=begins)
        path = self.file("plan.json", plan())
        bare = self.file("bare.csv", HEADER + "".join(all_rows))
        staged = self.file("staged.csv", HEADER.rstrip("\n") + ",stage\n" + "".join(
            row.rstrip("\n") + f",{1 if int(row.split(',')[0]) < begins else 2}\n" for row in all_rows))
        second = self.file("second.csv", HEADER + "".join(all_rows[len(all_rows) // 2:]))

        def decided(*arguments):
            result = self.run_program("judge", path, *arguments, "--format", "json")
            self.check_outcome(result)
            return json.loads(result.stdout)

        told = decided(bare, "--stage", "2", "--since", str(begins))
        self.assertEqual((told["stage"], told["finished"], told["telemetry"]["used"]), (2, True, INTERVALS))
        self.assertEqual(told["metrics"][0]["observed"], decided(staged)["metrics"][0]["observed"])
        # Without a time the stage begins with its canary.
        self.assertEqual(decided(second, "--stage", "2")["metrics"], told["metrics"])
        late = decided(bare, "--since", str(begins))
        self.assertEqual((late["stage"], late["telemetry"]["used"]), (1, INTERVALS))
        # Without either the answer says how the next stage is told.
        untold = re.sub(r"\s+", " ", self.run_program("judge", path, bare).stdout.decode())
        self.assertIn("stage 1 of 2", untold)
        self.assertIn("next move traffic to stage 2 (50 %), and tell its data apart: --stage 2 --since TIME", untold)
        self.assertNotIn("--stage", self.run_program("judge", path, staged).stdout.decode())

        for arguments, code, says in (
                (["--stage", "3"], "serinus.monitor.stage", "the stage is 3; allowed: 1 to 2"),
                (["--stage", "two"], "serinus.argument.range", '--stage is "two"; allowed: the number of a stage, from 1'),
                (["--since", "soon"], "serinus.data.timestamp", "--since"),
                (["--since", str(begins), "--now", str(START)], "serinus.argument.range", "after --now")):
            self.expect_error(self.run_program("judge", path, bare, *arguments), code, says)
        self.expect_error(self.run_program("judge", path, staged, "--stage", "2"), "serinus.argument.range",
                          "a stage is given, and the data say themselves in which stage they are")

    def test_color(self):
        always = self.judge(plan(), csv(0.08), "--color", "always").stdout
        self.assertIn(b"\x1b[1;31mROLLBACK\x1b[0m", always)
        plain = self.judge(plan(), csv(0.08)).stdout
        self.assertEqual(re.sub(rb"\x1b\[[0-9;]*m", b"", always), plain)
        self.assertNotIn(b"\x1b", plain)
        self.assertEqual(self.judge(plan(), csv(0.08), "--color", "never").stdout, plain)

    def test_color_of_a_terminal(self):
        if sys.platform == "win32":
            return
        import pty
        path, data = self.file("plan.json", plan()), self.file("data.csv", csv(0.08))
        for environment, colored in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                                     ({"TERM": "dumb"}, False), ({}, False)):
            ours, theirs = pty.openpty()
            clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM")}
            process = subprocess.Popen([SERINUS, "judge", path, data], stdout=theirs, env={**clean, **environment})
            os.close(theirs)
            seen = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                seen += part
            os.close(ours)
            self.assertEqual(process.wait(), ROLLBACK)
            self.assertEqual(b"\x1b[" in seen, colored, environment)

    def test_the_locale_changes_nothing(self):
        plain = self.judge(plan(), csv(0.08)).stdout
        for name in ("de_DE.UTF-8", "C", "tr_TR.UTF-8"):
            self.assertEqual(self.judge(plan(), csv(0.08), environment={"LC_ALL": name, "LANG": name}).stdout, plain)

    def test_a_reader_that_leaves(self):
        path, data = self.file("plan.json", plan()), self.file("data.csv", csv(0.08))
        reading, writing = os.pipe()
        os.close(reading)
        process = subprocess.run([SERINUS, "judge", path, data], stdout=writing, stderr=subprocess.PIPE, timeout=60)
        os.close(writing)
        self.assertEqual((process.returncode, process.stderr), (ROLLBACK, b""))

    @unittest.skipUnless(os.path.exists("/dev/full"), "only where the system has a device that is always full")
    def test_an_answer_that_cannot_be_written(self):
        path, data = self.file("plan.json", plan()), self.file("data.csv", csv(0.02))
        with open("/dev/full", "wb") as full:
            process = subprocess.run([SERINUS, "judge", path, data], stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(process.returncode, ERROR)
        self.assertTrue(process.stderr.startswith(b"serinus: serinus.file.write: standard output: "), process.stderr)


class OtherWords(Case):
    """Data whose arms and columns are called otherwise, told for one call (--arms, --columns)."""

    def renamed(self):
        text = csv(0.06).replace("timestamp,series,arm,value", "When;What;Hash;\"How much, in all\"", 1)
        head, *lines = text.splitlines()
        arms = {"baseline": "6d4c9f", "canary": "7f5b2a"}
        cells = [line.split(",") for line in lines]
        return "\n".join([head] + [";".join([t, series, arms[arm], value]) for t, series, arm, value in cells]) + "\n"

    def test_arms_and_columns(self):
        told = ["--arms", "baseline=6d4c9f,canary=7f5b2a", "--columns",
                'time=When,series=What,arm=Hash,value="How much, in all"']
        known, _ = self.decision(plan(), csv(0.06))
        code, decision = self.decision(plan(), self.renamed(), *told)
        self.assertEqual(code, known)
        self.assertEqual(decision["decision"], "rollback")
        result = self.judge(plan(), self.renamed())
        self.expect_error(result, "serinus.data.column", '"timestamp" is missing')
        self.expect_error(self.judge(plan(), self.renamed(), *told[2:]), "serinus.data.arm", '"6d4c9f"')

    def test_wide_and_packed(self):
        by_time = {}
        for line in csv(0.06).splitlines()[1:]:
            at, series, arm, value = line.split(",")
            by_time.setdefault(at, {})[f"{arm} {series}"] = value
        names = sorted(next(iter(by_time.values())))
        lines = ["Time," + ",".join(names)]
        lines += [",".join([at] + [row.get(name, "") for name in names]) for at, row in by_time.items()]
        wide = "\n".join(lines)
        _, known = self.decision(plan(), csv(0.06))
        for data in (wide.encode(), gzip.compress(wide.encode()), wide.encode("utf-16")):
            _, decision = self.decision(plan(), data)
            self.assertEqual(decision["metrics"], known["metrics"])

    def test_what_cannot_be_told(self):
        self.expect_error(self.judge(plan(), csv(0.02), "--arms", "color=red"), "serinus.argument.word",
                          'arms names "color"; allowed: label=NAME')
        self.expect_error(self.judge(plan(), csv(0.02), "--columns", "metric=x"), "serinus.argument.word",
                          'columns names "metric"; allowed: OURS=THEIRS')
        self.expect_error(self.judge(plan(), csv(0.02), "--columns", "value=Wert"), "serinus.data.column",
                          'there is no column "Wert"')


class Documents(Case):
    """Documents as their makers wrote them, from file to decision."""

    def sample(self, name):
        return os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../data/samples", name)

    def case(self, name):
        return os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../data/cases", name)

    def test_otlp(self):
        """Histograms of OTLP are judged by a bucket. What was counted by the first export was counted before."""
        counted = {}  # by version and time: slow and all
        with open(self.sample("otlp/otlp_collector_delta.jsonl"), encoding="utf-8") as lines:
            for resource in (one for line in lines for one in json.loads(line)["resourceMetrics"]):
                version = next(attribute["value"]["stringValue"] for attribute in resource["resource"]["attributes"]
                               if attribute["key"] == "service.version")
                for metric_of in (one for scope in resource["scopeMetrics"] for one in scope["metrics"]):
                    if metric_of["name"] != "http.server.request.duration":
                        continue
                    for point in metric_of["histogram"]["dataPoints"]:
                        fast = sum(int(count) for count, bound in zip(point["bucketCounts"], point["explicitBounds"])
                                   if bound <= 0.1)
                        so_far = counted.setdefault((version, int(point["timeUnixNano"])), [0, 0])
                        so_far[0] += int(point["count"]) - fast
                        so_far[1] += int(point["count"])
        truth = {}
        for arm, version in (("baseline", "1.8.2"), ("canary", "1.9.0")):
            later = [counts for (of, time), counts in counted.items()
                     if of == version and time > min(time for of, time in counted if of == version)]
            truth[f"bad_{arm}"], truth[f"total_{arm}"] = map(sum, zip(*later))
        self.assertGreater(min(truth.values()), 10)

        series = "http_server_request_duration_seconds"
        path = self.file("plan.json", plan(
            arms={"label": "service.version", "baseline": "1.8.2", "canary": "1.9.0"}, stages=[{"traffic": 0.25}],
            metrics=[{"name": "slow", "kind": "proportion", "counter": True, "good": f"{series}_bucket", "le": 0.1,
                      "total": f"{series}_count", "margin": {"ratio": 2}}]))
        for temporality in ("delta", "cumulative"):
            result = self.run_program("judge", path, self.sample(f"otlp/otlp_collector_{temporality}.jsonl"),
                                      "--format", "json")
            decision = json.loads(result.stdout)
            self.assertEqual(decision["metrics"][0]["observed"], truth, temporality)
            told = [reason["sentence"] for reason in decision["reasons"]]
            self.assertTrue(any("histograms of shop.payment.duration" in sentence for sentence in told), told)
            self.assertFalse(any("?" in sentence for sentence in told), told)

    def test_native_histograms(self):
        """Read, and named as what no metric of this plan judges: nothing is promoted on them."""
        with open(self.sample("prometheus/prom242_native_raw.json"), encoding="utf-8") as answer:
            document = {"slow": json.load(answer)}
        the_plan = plan(metrics=[metric(bad="slow", total="all", counter=True)])
        result = self.judge(the_plan, json.dumps(document))
        out = re.sub(r"\s+", " ", result.stdout.decode())
        self.assertEqual(result.returncode, NO_DATA, out)
        self.assertIn("12 histograms of slow, and no metric of the plan judges histograms", out)
        self.assertNotIn("?", out)
        # Alone it does not say which series of the plan it is.
        alone = self.run_program("judge", self.file("plan.json", the_plan),
                                 self.sample("prometheus/prom242_native_raw.json"))
        self.expect_error(alone, "serinus.data.document", "shop_request_duration_seconds", '"slow"')

    def test_a_rollback_says_how_its_data_were_understood(self):
        for the_plan, data, says in (("plan_good.json", "bad15.15.json", "samples come every 15s and the interval is 10s"),
                                     ("plan_good.json", "bad15.10.json", "samples come every 15s and the interval is 10s"),
                                     ("plan-counters-15s.json", "counter-dips.csv", "dips of counters")):
            result = self.run_program("judge", self.case(the_plan), self.case(data))
            out = re.sub(r"\s+", " ", result.stdout.decode())
            self.assertEqual(result.returncode, ROLLBACK, out)
            self.assertIn(says, out)

    def test_data_that_are_not_what_the_plan_says_promise_nothing(self):
        for the_plan, data in (("plan1.json", "aa_false_rollback.csv"), ("plan.json", "swapped.csv")):
            result = self.run_program("judge", self.case(the_plan), self.case(data))
            out = re.sub(r"\s+", " ", result.stdout.decode())
            self.assertEqual(result.returncode, HOLD, out)
            self.assertIn("promise none: the data of errors are not what the plan says (see why) next mend the data first",
                          out)

    def test_data_that_cannot_be_are_to_be_mended(self):
        out = self.run_program("judge", self.case("plan.json"), self.case("huge.csv")).stdout.decode()
        self.assertIn("next     mend the data first (see why)", out)

    def test_formats_that_are_not_read_are_named(self):
        for name, says in (("exports/datadog_v1_query.json", "Datadog"),
                           ("exports/cloudwatch_get_metric_data_cli.json", "CloudWatch"),
                           ("exports/newrelic_insights_timeseries.json", "New Relic")):
            path = self.file("plan.json", plan())
            self.expect_error(self.run_program("judge", path, self.sample(name)), "serinus.data.format", says)


class BadFiles(Case):
    def test_missing_folder_and_closed(self):
        path = self.file("plan.json", plan())
        self.expect_error(self.run_program("judge", os.path.join(self.folder, "nope.json"), path),
                          "serinus.file.read", "nope.json", "No such file")
        self.expect_error(self.run_program("judge", path, os.path.join(self.folder, "nope.csv")),
                          "serinus.file.read", "nope.csv")
        self.expect_error(self.run_program("judge", path, self.folder), "serinus.file.read", self.folder)
        self.expect_error(self.run_program("judge", self.folder, path), "serinus.file.read", self.folder)
        self.expect_error(self.run_program("judge", path, os.path.join(self.folder, "two\nlines")),
                          "serinus.file.read", "two?lines")

    def test_empty(self):
        for data in ("", "\n\n", HEADER, "\ufeff" + HEADER):
            self.expect_error(self.judge(plan(), data), "serinus.data.empty", "data.csv")
        self.expect_error(self.judge("", csv(0.02)), "serinus.plan.json", "plan.json")
        self.expect_error(self.run_program("judge", self.file("plan.json", plan()), "-"), "serinus.data.empty",
                          "standard input")

    def test_text_for_a_number(self):
        broken = csv(0.02) + sample(START + 5000, "http_errors", "canary", "many")
        self.expect_error(self.judge(plan(), broken), "serinus.data.value", "data.csv", "many",
                          f"line {2 + 4 * INTERVALS}")

    def test_wrong_columns_arms_and_times(self):
        self.expect_error(self.judge(plan(), "time,http_errors,http_requests\n1,2,3\n"), "serinus.data.arm")
        self.expect_error(self.judge(plan(), HEADER + sample(START, "http_errors", "control", 1)), "serinus.data.arm",
                          "control")
        self.expect_error(self.judge(plan(), HEADER + sample("noon", "http_errors", "canary", 1)),
                          "serinus.data.timestamp", "noon")
        self.expect_error(self.judge(plan(), HEADER + f"{START},http_errors,canary\n"), "serinus.data.column")

    def test_json_that_is_no_answer(self):
        for data in ("{", "[]", "{}", '{"http_errors": 3}', '{"status": "error", "error": "too many"}', "[" * 100000):
            result = self.judge(plan(), data)
            self.assertEqual(result.returncode, ERROR, data[:40])

    def test_ten_megabytes_of_garbage(self):
        source = random.Random(7)
        garbage = source.randbytes(10_000_000)
        for data in (garbage, b"timestamp,series,arm,value\n" + garbage, b"{" + garbage, b"a" * 10_000_000,
                     b"," * 10_000_000, b'"' * 9_999_999, b"\0" * 10_000_000):
            result = self.judge(plan(), data)
            self.assertEqual(result.returncode, ERROR)
            self.assertLess(len(result.stderr), 1000)
        self.assertEqual(self.judge(garbage, csv(0.02)).returncode, ERROR)

    def test_damaged_data_never_crash(self):
        source = random.Random(11)
        whole = csv(0.02, intervals=20).encode()
        text = json.dumps(plan()).encode()
        path = self.file("good.json", plan())
        for _ in range(150):
            damaged = bytearray(whole)
            for _ in range(source.randrange(1, 8)):
                damaged[source.randrange(len(damaged))] = source.randrange(256)
            self.check_outcome(self.run_program("judge", path, "-", stdin=bytes(damaged)))
        data = self.file("good.csv", whole)
        for _ in range(150):
            damaged = bytearray(text)
            damaged[source.randrange(len(damaged))] = source.randrange(256)
            del damaged[source.randrange(len(damaged)):][:source.randrange(3)]
            self.check_outcome(self.run_program("judge", self.file("damaged.json", bytes(damaged)), data))


class BadPlans(Case):
    def refuse(self, the_plan, code, *parts):
        result = self.judge(the_plan, csv(0.02))
        self.expect_error(result, code, "plan.json", *parts)

    def test_unknown_and_missing_keys(self):
        self.refuse(plan(alhpa=0.05), "serinus.plan.unknown_key", "alhpa")
        self.refuse(plan(metrics=[metric(magin={"ratio": 2})]), "serinus.plan.unknown_key", "magin")
        self.refuse(plan(metrics=None), "serinus.plan.missing_key", "metrics")
        self.refuse(plan(interval=None), "serinus.plan.missing_key", "interval")
        self.refuse(plan(alpha="much"), "serinus.plan.type", "alpha")
        self.refuse("{", "serinus.plan.json")
        self.refuse('{"name": "a", "name": "b"}', "serinus.plan.duplicate", "name")

    def test_margins(self):
        for margin in ({"ratio": 0}, {"ratio": -1}, {"ratio": 0.5}, {"difference": -0.1}, {"difference": 1},
                       {"ratio": 1e9}, {"ratio": 2, "difference": 0.1}, {}):
            self.refuse(plan(metrics=[metric(margin=margin)]), "serinus.plan.value", "metrics[0].margin")

    def test_alpha(self):
        for alpha in (0, 1, -0.05, 1.5, 1e308):
            self.refuse(plan(alpha=alpha), "serinus.plan.value", "alpha")

    def test_stages(self):
        for stages in ([], [{"traffic": 0.5}, {"traffic": 0.1}], [{"traffic": 0.5}, {"traffic": 0.5}], [{"traffic": 0}],
                       [{"traffic": 1.5}], [{"traffic": 0.1, "min": "1h", "max": "10m"}]):
            self.refuse(plan(stages=stages), "serinus.plan.value", "stages")
        # Numbers as they were given, not as a double holds them.
        self.refuse(plan(stages=[{"traffic": 0.1}, {"traffic": 0.1}]), "serinus.plan.value",
                    "stages[1].traffic is 0.1; allowed: more than the stage before has, 0.1")

    def test_what_is_not_built_is_said(self):
        sample = {"name": "latency", "kind": "sample", "series": "latency", "quantile": 0.9,
                  "margin": {"ratio": 1.1, "floor": 5}}
        self.refuse(plan(metrics=[sample]), "serinus.plan.not_built", "sample")

    def test_a_stage_that_the_plan_does_not_have(self):
        data = "timestamp,series,arm,value,stage\n" + sample(START, "http_errors", "canary", 1).rstrip("\n") + ",7\n"
        self.expect_error(self.judge(plan(), data), "serinus.monitor.stage", "7")


class PoorData(Case):
    """Data that can be read but not judged: an honest hold with its reason, never a promotion."""

    def expect_hold(self, data, *reasons, the_plan=None, code=None):
        got, decision = self.decision(the_plan or plan(), data)
        self.assertEqual(decision["decision"], "hold", decision)
        self.assertIn(got, (HOLD, NO_DATA))
        if code is not None:
            self.assertEqual(got, code)
        for reason in reasons:
            self.assertIn(reason, self.codes(decision))
        return decision

    def test_one_arm(self):
        self.expect_hold(csv(0.02, arms=("canary",)), "missing_baseline", code=NO_DATA)
        self.expect_hold(csv(0.02, arms=("baseline",)), "missing_canary", code=NO_DATA)

    def test_one_point(self):
        self.expect_hold(csv(0.02, intervals=1))
        self.expect_hold(HEADER + sample(START, "http_requests", "canary", 1), code=NO_DATA)

    def test_only_missing_values(self):
        for value in ("NaN", ""):
            data = HEADER + "".join(row.rsplit(",", 1)[0] + f",{value}\n" for row in rows(0.02))
            self.expect_hold(data, code=NO_DATA)

    def test_infinite_values(self):
        for value in ("+Inf", "-Inf"):
            data = HEADER + "".join(row.rsplit(",", 1)[0] + f",{value}\n" if "errors" in row else row
                                    for row in rows(0.02))
            self.expect_hold(data, "impossible_large" if value == "+Inf" else "impossible_negative", code=NO_DATA)

    def test_impossible_counts(self):
        for value, reason in {"100000": "more", "-1": "negative", "3.5": "fraction", "1e300": "large"}.items():
            data = HEADER + "".join(row.rsplit(",", 1)[0] + f",{value}\n" if "errors,canary" in row else row
                                    for row in rows(0.02))
            self.expect_hold(data, "impossible_" + reason, code=NO_DATA)

    def test_no_events_prove_nothing(self):
        data = HEADER + "".join(row.rsplit(",", 1)[0] + ",0\n" if "errors" in row else row for row in rows(0.02))
        self.expect_hold(data, "no_events", code=HOLD)

    def test_all_equal(self):
        """Ten bad of a hundred, everywhere and always: certainly no harm."""
        data = HEADER + "".join(row.rsplit(",", 1)[0] + (",10\n" if "errors" in row else ",100\n") for row in rows(0.02))
        code, decision = self.decision(plan(), data)
        self.assertEqual(code, PROMOTE)
        self.assertEqual(decision["metrics"][0]["evidence"]["estimate"], 1)

    def test_a_missing_error_series(self):
        """None of it where its name lives: the baseline has errors, the canary none; nobody's errors are not known."""
        data = HEADER + "".join(row for row in rows(0.02) if "http_errors,canary" not in row)
        code, decision = self.decision(plan(), data)
        self.assertEqual(code, PROMOTE, decision)
        self.assertIn("absent_taken_as_zero", self.codes(decision))
        data = HEADER + "".join(row for row in rows(0.02) if "http_errors" not in row)
        self.expect_hold(data, "never_seen", code=NO_DATA)

    def test_many_gaps(self):
        data = HEADER + "".join(row for row in rows(0.02) if "canary" not in row or int(row.split(",")[0]) % 30 == 29)
        self.expect_hold(data, "low_coverage", "unbalanced_gaps")

    def test_silence_of_the_canary(self):
        """It stops half way: the gap is seen, and whatever it had shown before does not promote."""
        data = HEADER + "".join(row for row in rows(0.02) if "canary" not in row or int(row.split(",")[0]) < START + 450)
        self.expect_hold(data, "stale")

    def test_muted_only(self):
        decision = self.expect_hold(csv(0.08), "nothing_to_judge", the_plan=plan(metrics=[metric(muted=True)]), code=HOLD)
        self.assertEqual(decision["metrics"][0]["verdict"], "fail")


class Disorder(Case):
    def test_order_and_duplicates_change_nothing(self):
        for share in (0.02, 0.08):
            all_rows = rows(share)
            code, whole = self.decision(plan(), HEADER + "".join(all_rows))
            mixed = all_rows + all_rows[:100]
            random.Random(3).shuffle(mixed)
            again, shuffled = self.decision(plan(), HEADER + "".join(mixed))
            self.assertEqual(again, code)
            self.assertEqual(shuffled["metrics"], whole["metrics"])
            self.assertEqual(shuffled["telemetry"]["conflicts"], 0)

    def test_conflicts_are_counted_and_the_first_one_wins(self):
        conflict = sample(START, "http_errors", "canary", 1) + sample(START, "http_errors", "canary", 300)
        others = [row for row in rows(0.02) if not row.startswith(f"{START},http_errors,canary")]
        _, first = self.decision(plan(), HEADER + conflict.split("\n")[0] + "\n" + "".join(others))
        _, both = self.decision(plan(), HEADER + conflict + "".join(others))
        self.assertEqual(both["telemetry"]["conflicts"], 1)
        self.assertEqual(both["metrics"], first["metrics"])
        self.assertIn(b"another value", self.judge(plan(), HEADER + conflict + "".join(others)).stdout)

    def test_counters_taken_for_counts(self):
        totals, text = {}, HEADER
        for line in rows(0.02):
            time, series, arm, value = line.strip().split(",")
            totals[series, arm] = totals.get((series, arm), 0) + int(value)
            text += sample(time, series, arm, totals[series, arm])
        done = self.run_program("judge", self.file("plan.json", plan()), self.file("data.csv", text))
        self.assertIn(b'note: "http_requests" never falls in 90 samples', done.stderr)
        self.assertIn(b'"counter": true', done.stderr)
        self.judge(plan(metrics=[metric(counter=True)]), text)  # says nothing

    def test_counters_that_go_back(self):
        """Cumulative counters of processes that are restarted: what they counted before is not lost or negative."""
        sums, data = {}, HEADER
        for row in rows(0.02):
            time, series, arm, value = row.rstrip("\n").split(",")
            restarted = (int(time) - START) % 300 == 290 and arm == "canary"
            key = (series, arm)
            sums[key] = int(value) + (0 if restarted else sums.get(key, 0))
            data += sample(time, series, arm, sums[key])
        code, decision = self.decision(plan(metrics=[metric(counter=True)]), data)
        self.assertEqual(code, PROMOTE, decision["reasons"])
        self.assertNotIn("impossible_counts", self.codes(decision))
        observed = decision["metrics"][0]["observed"]
        self.assertGreater(observed["total_canary"], 0.9 * 400 * INTERVALS)

    def test_written_as_others_write(self):
        plain = self.judge(plan(), csv(0.08)).stdout
        crlf = "\ufeff" + csv(0.08).replace("\n", "\r\n")
        quoted = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in csv(0.08).splitlines())
        milliseconds = HEADER + "".join(f"{int(row.split(',')[0]) * 1000},{row.split(',', 1)[1]}" for row in rows(0.08))
        for data in (crlf, quoted, milliseconds):
            self.assertEqual(self.judge(plan(), data).stdout, plain)


def gauge_rows(factor=1.0, intervals=120, seed=1, arms=("baseline", "canary"), instances=0, start=START):
    """A latency around 100 with noise of 4, every minute."""
    source = random.Random(seed)
    text = HEADER if not instances else HEADER.replace("\n", ",instance\n")
    for arm in arms:
        for instance in range(instances or 1):
            own = source.gauss(0, 1) if instances else 0
            for i in range(intervals):
                value = 100 + own + source.gauss(0, 4)
                row = f"{start + 60 * i},latency,{arm},{value * (factor if arm == 'canary' else 1)!r}"
                text += row + (f",i{instance}" if instances else "") + "\n"
    return text


def gauge_plan(**changes):
    p95 = {"name": "p95", "kind": "gauge", "series": "latency", "margin": {"ratio": 1.1}}
    return {**plan(interval="1m", stages=[{"traffic": 0.1, "min": "10m"}], metrics=[p95]), **changes}


class Calibrate(Case):
    def document(self, path):
        with open(path) as file:
            return json.load(file)

    def calibrate(self, the_plan, history, *arguments):
        result = self.run_program("calibrate", self.file("plan.json", the_plan), self.file("history.csv", history),
                                  *arguments)
        self.check_outcome(result)
        return result

    def test_a_gauge_is_judged_once_its_noise_is_known(self):
        slow = self.file("slow.csv", gauge_rows(1.3, seed=2))
        blind = self.run_program("judge", self.file("plan.json", gauge_plan()), slow)
        self.assertEqual(blind.returncode, HOLD)
        self.assertIn(b"(calibrate learns it)", blind.stdout)
        output = os.path.join(self.folder, "known.json")
        result = self.calibrate(gauge_plan(), gauge_rows(intervals=2000), "--output", output)
        self.assertEqual(result.returncode, PROMOTE, result)
        self.assertTrue(result.stdout.startswith(b"CALIBRATED  payments   1 of 1 metric\n"), result.stdout)
        known = self.document(output)
        self.assertEqual(len(known["noise"]["p95"]["stages"]), 1)
        self.assertFalse(os.path.exists(output + ".part"))
        self.assertEqual(self.run_program("judge", output, slow).returncode, ROLLBACK)
        good = self.run_program("judge", output, self.file("good.csv", gauge_rows(seed=3)))
        self.assertEqual(good.returncode, PROMOTE, good.stdout)
        text = self.run_program("judge", output, slow).stdout.decode()
        self.assertIn("canary reads 130 on average, baseline 99.6, over 120 intervals", text)
        self.assertIn("the canary reads more than", text)

    def test_json(self):
        result = self.calibrate(gauge_plan(), gauge_rows(intervals=1500, arms=("baseline",), instances=6), "--format", "json")
        self.assertEqual(result.returncode, PROMOTE)
        document = json.loads(result.stdout)
        self.assertEqual(list(document), ["version", "metrics", "noise"])
        p95 = document["metrics"][0]
        self.assertEqual((p95["name"], p95["learned"], p95["instances"]), ("p95", True, 6))
        self.assertEqual(p95["held_back"][0]["alarms"], 0)
        self.assertIn("history_instances", [reason["code"] for reason in p95["reasons"]])
        # What it gives is what a plan takes.
        again = gauge_plan(noise=document["noise"])
        self.assertEqual(self.calibrate(again, gauge_rows(intervals=50)).returncode, PROMOTE)

    def test_some_and_none(self):
        output = os.path.join(self.folder, "known.json")
        other = {**gauge_plan()["metrics"][0], "name": "cpu", "series": "cpu"}
        both = gauge_plan(metrics=[*gauge_plan()["metrics"], other])
        some = self.calibrate(both, gauge_rows(intervals=1500), "--output", output)
        self.assertEqual(some.returncode, HOLD)
        self.assertIn(b"INCOMPLETE", some.stdout)
        self.assertEqual(list(self.document(output)["noise"]), ["p95"])
        os.remove(output)
        none = self.calibrate(gauge_plan(), gauge_rows(intervals=1500, arms=("baseline",)), "--output", output)
        self.assertEqual(none.returncode, NO_DATA)
        self.assertIn(b"NOTHING LEARNED", none.stdout)
        self.assertFalse(os.path.exists(output))

    def test_errors(self):
        self.expect_error(self.run_program("calibrate", "nowhere.json", "x"), "serinus.file.read", "nowhere.json")
        self.expect_error(self.run_program("calibrate", self.file("p.json", gauge_plan()), "-", "-"), "usage", "HISTORY")
        place = os.path.join(self.folder, "no", "such", "folder.json")
        self.expect_error(self.calibrate(gauge_plan(), gauge_rows(intervals=200), "--output", place), "serinus.file.write",
                          "folder.json")
        self.expect_error(self.run_program("calibrate"), "usage")
        broken = gauge_plan(noise={"p95": {"stages": [{}]}})
        self.expect_error(self.calibrate(broken, gauge_rows(intervals=20)), "serinus.plan.missing_key",
                          "noise.p95.stages[0].table")

    def test_instances_are_judged_between_them(self):
        def pods(canary, seed, start=START, names="abc"):
            source = random.Random(seed)
            text = HEADER.replace("\n", ",instance\n")
            for arm, instances, level in (("baseline", names, 100), ("canary", "z" if canary else "", canary)):
                for instance in instances:
                    own = level * (1 + 0.02 * ord(instance[0]) / 100)
                    for i in range(20):
                        text += f"{start + 60 * i},latency,{arm},{own * (1 + 0.05 * source.gauss(0, 1))!r},{instance}\n"
            return text

        the_plan = gauge_plan(stages=[{"traffic": 0.25, "min": "10m", "max": "20m"}])
        the_plan["metrics"][0].update(margin={"ratio": 1.5}, instances_differ=0.5)
        file = self.file("pods.json", the_plan)
        bad = self.run_program("judge", file, self.file("bad.csv", pods(800, 1)))
        self.assertEqual(bad.returncode, ROLLBACK, bad.stdout)
        self.assertIn(b"judged between instances, 3 of the baseline and 1 of the canary", bad.stdout)
        self.assertEqual(self.run_program("judge", file, self.file("good.csv", pods(100, 2))).returncode, PROMOTE)
        # Two and nothing else may pass, and never fail; history and former releases add to them.
        two = self.file("two.csv", pods(800, 3, names="ab"))
        held = self.run_program("judge", file, two)
        self.assertEqual(held.returncode, HOLD)
        self.assertIn(b"one_degree", held.stdout)
        folder = os.path.join(self.folder, "former")
        os.mkdir(folder)
        for seed in (4, 5):
            with open(os.path.join(folder, f"{seed}.csv"), "w") as release:
                release.write(pods(100, seed))
        output = os.path.join(self.folder, "known.json")
        history = pods(0, 6, start=START - 3600)
        for arguments, degrees in (((), 2), (("--release", folder), 6),
                                   (("--release", os.path.join(folder, "4.csv")), 4)):
            self.calibrate(the_plan, history, "--output", output, *arguments)
            result = self.run_program("judge", output, two, "--format", "json")
            self.assertEqual(result.returncode, ROLLBACK, result.stdout)
            reasons = json.loads(result.stdout)["metrics"][0]["reasons"]
            between = next(r for r in reasons if r["code"] == "between_instances")
            self.assertEqual(between["numbers"], {"baseline": 2, "canary": 1, "degrees": degrees})
        empty = os.path.join(self.folder, "empty")
        os.mkdir(empty)
        self.expect_error(self.calibrate(the_plan, history, "--release", empty), "serinus.file.read", "empty")
        self.expect_error(self.calibrate(the_plan, history, "--release", "nowhere.csv"), "serinus.file.read", "nowhere")

    def test_proportions_learn_their_dispersion(self):
        output = os.path.join(self.folder, "known.json")
        result = self.calibrate(plan(), csv(0.02, intervals=1500), "--output", output)
        self.assertEqual(result.returncode, PROMOTE)
        self.assertLess(self.document(output)["noise"]["errors"]["dispersion"], 1.6)
        self.assertIn(b"dispersion 1", result.stdout)
        # A rollout of this plan may take 240 intervals: 400 of history cannot know how the arms drift apart in them.
        os.remove(output)
        brief = self.calibrate(plan(), csv(0.02, intervals=400), "--output", output)
        self.assertEqual(brief.returncode, PROMOTE)
        self.assertGreater(self.document(output)["noise"]["errors"]["dispersion"], 2)
        self.assertIn(b"errors.history_swings", brief.stdout)

    def test_learning_on_the_way_promises_nothing(self):
        code, decision = self.decision(gauge_plan(noise="learn"), gauge_rows(1.5))
        self.assertEqual(code, ROLLBACK)
        self.assertEqual(decision["guarantee"], "none")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True, help="the program")
    arguments, rest = parser.parse_known_args()
    SERINUS = os.path.abspath(arguments.serinus)
    unittest.main(argv=[sys.argv[0], *rest])
