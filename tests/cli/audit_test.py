"""`serinus judge --audit` and `serinus replay` as a stranger meets them: what they say, and their exit codes.

    audit_test.py --serinus PROGRAM
"""

import argparse
import concurrent.futures
import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
GOOD, CHANGED, ERROR, TORN, NONE = 0, 1, 2, 3, 4
ROLLBACK = 1
START = 1795382400
KEY = b"a key of more than sixteen bytes"
PLAN = {"name": "payments", "deployment": "payments-1", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
        "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}}]}


def table(intervals, bad=30):
    lines = ["timestamp,series,arm,value"]
    for i in range(intervals):
        for arm, total, errors in (("baseline", 900, 9), ("canary", 100, bad)):
            lines += [f"{START + 10 * i},n,{arm},{total}", f"{START + 10 * i},e,{arm},{errors}"]
    return "\n".join(lines) + "\n"


class Audit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.plan = self.write("plan.json", json.dumps(PLAN))
        self.key = self.write("key.txt", KEY.decode() + "\n")
        self.log = str(self.folder / "audit.jsonl")

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def run_it(self, *given, code):
        done = subprocess.run([SERINUS, *given], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def judge(self, intervals, *more, code=ROLLBACK):
        data = self.write("data.csv", table(intervals))
        now = str(START + 10 * intervals)
        return self.run_it("judge", self.plan, data, "--now", now, "--audit", self.log, *more, code=code)

    def lines(self):
        return pathlib.Path(self.log).read_text().splitlines()

    def test_a_job_that_asks_again_and_again(self):
        for intervals in (1, 3, 12, 30):
            self.judge(intervals)
        told = self.run_it("replay", self.log, code=GOOD)
        self.assertTrue(told.startswith("REPRODUCED  4 of 4 decisions reproduced, bit for bit\n"), told)
        found = json.loads(self.run_it("replay", self.log, "--format", "json", code=GOOD))
        self.assertTrue(found["good"])
        self.assertEqual([line["call"] for line in found["lines"]], ["plan"] + 4 * ["judge"])
        self.assertEqual([line["decision"] for line in found["lines"]], [None, *4 * ["rollback"]])
        self.assertTrue(all(line["same_build"] for line in found["lines"]))
        # Anybody can check a line: docs/how-to/audit.md.
        before = "0" * 64
        for text in self.lines():
            line = json.loads(text)
            self.assertEqual(line["before"], before)
            content = re.sub(r',"hash":"[0-9a-f]{64}"}$', "", text)
            before = hashlib.sha256(content.encode()).hexdigest()
            self.assertEqual(line["hash"], before)
        self.assertEqual(found["last"], before)
        self.run_it("replay", self.log, "--last", before, code=GOOD)
        told = self.run_it("replay", self.log, "--last", "0" * 64, code=CHANGED)
        self.assertIn("is not there: the log was cut off, or begun anew", told)

    def test_a_key(self):
        self.judge(12, "--audit-key", self.key)
        self.judge(13, "--audit-key", self.key)
        for text in self.lines():
            content = re.sub(r',"hmac":"[0-9a-f]{64}"}$', "", text)
            self.assertEqual(json.loads(text)["hmac"], hmac.new(KEY, content.encode(), hashlib.sha256).hexdigest())
        self.assertIn("sealed   with a key", self.run_it("replay", self.log, "--audit-key", self.key, code=GOOD))
        self.assertIn("serinus.audit.key", self.run_it("replay", self.log, code=ERROR))
        self.assertIn("serinus.audit.key", self.judge(14, code=ERROR))
        other = self.write("other.txt", b"another key of many bytes")
        self.assertIn("serinus.audit.key", self.run_it("replay", self.log, "--audit-key", other, code=ERROR))
        short = self.write("short.txt", b"short")
        self.assertIn("16 or more", self.run_it("replay", self.log, "--audit-key", short, code=ERROR))
        empty = self.write("empty.txt", b"\n")
        self.assertIn("holds no key", self.run_it("replay", self.log, "--audit-key", empty, code=ERROR))
        data = self.write("data.csv", table(3))
        told = self.run_it("judge", self.plan, data, "--audit-key", self.key, code=ERROR)
        self.assertIn("--audit-key is given without a log", told)

    def test_a_changed_line(self):
        self.judge(12)
        self.judge(13)
        log = pathlib.Path(self.log)
        log.write_bytes(log.read_bytes().replace(b'"decision":"rollback"', b'"decision":"promote!"', 1))
        told = self.run_it("replay", self.log, code=CHANGED)
        self.assertTrue(told.startswith("CHANGED"), told)
        self.assertIn("line 2 is not what was written", told)
        told = self.judge(14, code=ERROR)
        self.assertIn("serinus.audit.changed: " + self.log + ": line 2", told)
        self.assertEqual(len(self.lines()), 3)

    def test_a_process_that_was_killed(self):
        self.judge(3)
        self.judge(12)
        whole = pathlib.Path(self.log).read_bytes()
        pathlib.Path(self.log).write_bytes(whole[:-50])
        told = self.run_it("replay", self.log, code=TORN)
        self.assertTrue(told.startswith("TORN"), told)
        self.assertIn("line 3 is torn", told)
        self.judge(13)
        self.assertTrue(pathlib.Path(self.log).read_bytes().startswith(whole[:-50] + b" \n"))
        told = self.run_it("replay", self.log, code=GOOD)
        self.assertIn("1 line in the middle did not end", told)

    def test_several_at_once(self):
        data = self.write("data.csv", table(12))
        given = [SERINUS, "judge", self.plan, data, "--audit", self.log]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done = [pool.submit(subprocess.run, given, capture_output=True, check=False) for _ in range(12)]
        self.assertEqual({run.result().returncode for run in done}, {ROLLBACK})
        self.assertTrue(self.run_it("replay", self.log, code=GOOD).startswith("REPRODUCED  12 of 12"))

    def test_what_cannot_be_written_is_no_verdict(self):
        data = self.write("data.csv", table(12))
        nowhere = str(self.folder / "nowhere" / "audit.jsonl")
        told = self.run_it("judge", self.plan, data, "--audit", nowhere, code=ERROR)
        self.assertEqual(told, f"serinus: serinus.file.write: {nowhere}: No such file or directory\n")
        told = self.run_it("judge", self.plan, data, "--audit", data, code=ERROR)
        self.assertIn("serinus.data.document", told)
        self.assertEqual(pathlib.Path(data).read_text(), table(12))

    def test_what_is_no_log(self):
        self.assertIn("serinus.data.document", self.run_it("replay", self.plan, code=ERROR))
        self.assertIn("serinus.data.empty", self.run_it("replay", self.write("none", b""), code=ERROR))
        self.assertIn("serinus.file.read", self.run_it("replay", self.log, code=ERROR))
        self.run_it("replay", code=ERROR)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    given, rest = parser.parse_known_args()
    SERINUS = given.serinus
    unittest.main(argv=[sys.argv[0], *rest])
