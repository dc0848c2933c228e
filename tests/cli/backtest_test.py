"""`serinus backtest`: what a plan would have done with a folder of former releases.

    backtest_test.py --serinus PROGRAM
"""

import argparse
import csv
import io
import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
START = 1795382480
PLAN = {
    "name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "2m"}],
    "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}},
                {"name": "refusals", "kind": "proportion", "bad": "r", "total": "n", "margin": {"ratio": 2}}],
}


def rollout(errors=2, refusals=1, looks=90):
    rows = ["timestamp,series,arm,value"]
    for i in range(looks):
        for series, baseline, canary in (("n", 900, 100), ("e", 18, errors), ("r", 9, refusals)):
            rows += [f"{START + 10 * i},{series},baseline,{baseline}", f"{START + 10 * i},{series},canary,{canary}"]
    return "\n".join(rows) + "\n"


class Backtest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.releases = os.path.join(self.folder, "releases")
        os.mkdir(self.releases)
        self.file("plan.json", json.dumps(PLAN))

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        return path

    def collection(self):
        self.file("releases/a/rollout.csv", rollout())
        self.file("releases/b/rollout.csv", rollout(errors=12))
        self.file("releases/b/history.csv", rollout())
        self.file("releases/c/rollout.csv", rollout(refusals=8))
        self.file("releases/labels.csv", "release,label\na,good\nb,bad\nc,good\n")

    def backtest(self, *arguments):
        result = subprocess.run([SERINUS, "backtest", "plan.json", "releases", *arguments], cwd=self.folder,
                                capture_output=True, timeout=120, check=False)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def refused(self, *parts, arguments=()):
        code, out, err = self.backtest(*arguments)
        self.assertEqual((code, out), (2, ""), err)
        self.assertEqual(err.count("\n"), 1, err)
        for part in parts:
            self.assertIn(part, err)

    def test_says_what_would_have_been_decided(self):
        self.collection()
        code, out, err = self.backtest("--try", "metrics[refusals].margin.ratio=20", "--try", "metrics[0].muted=true")
        self.assertEqual((code, err), (1, ""))  # c is good, and would have been rolled back
        self.assertEqual(out.splitlines()[0], "BACK-TEST  payments   3 releases   1 promoted, 0 held, 2 rolled back")
        self.assertIn("1 of 2 good releases rolled back (50 %, between", out)
        self.assertIn("metrics[refusals].margin.ratio=20: 1 of 3 releases decided differently", out)
        self.assertIn("c, good: rollback, would be promote", out)
        self.assertIn("b, bad: rollback, would be promote", out)

    def test_json_and_csv_say_the_same(self):
        self.collection()
        code, out, _ = self.backtest("--format", "json", "--try", "metrics[1].muted=true")
        document = json.loads(out)
        self.assertEqual(code, 1)
        self.assertEqual([release["decision"] for release in document["releases"]], ["promote", "rollback", "rollback"])
        self.assertEqual(document["tries"][0]["changed"], [{"name": "c", "label": "good", "before": "rollback", "after": "promote"}])
        self.assertEqual((document["tries"][0]["false_alarms"]["count"], document["misses"]["of"]), (0, 1))
        _, out, _ = self.backtest("--format", "csv", "--try", "metrics[1].muted=true")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual([(row["try"], row["release"], row["decision"], row["decided_by"]) for row in rows[2:]],
                         [("", "c", "rollback", "refusals"), ("metrics[1].muted=true", "a", "promote", ""),
                          ("metrics[1].muted=true", "b", "rollback", "errors"), ("metrics[1].muted=true", "c", "promote", "")])

    def test_without_labels_nothing_is_wrong(self):
        self.file("releases/a/rollout.csv", rollout(errors=12))
        code, out, err = self.backtest()
        self.assertEqual((code, err), (0, ""))
        self.assertIn("how often it was wrong is not known", out)

    def test_columns_say_since_and_until_when(self):
        self.file("releases/a/rollout.csv", rollout(errors=12))
        self.file("releases/labels.csv", f"release,label,ready,next\na,bad,{START + 600},{START + 610}\n")
        minutes = [json.loads(self.backtest("--format", "json", *more)[1])["releases"][0]["minutes"]
                   for more in ((), ("--since", "ready", "--until", "next"))]
        self.assertGreater(minutes[0], minutes[1])
        self.refused('labels.csv: line 1 has no column "reddy"', arguments=("--since", "reddy"))

    def test_what_is_not_as_it_should_be_is_refused(self):
        self.refused("serinus.file.read", "no release in it")
        self.file("releases/a/rollout.csv", rollout())
        self.file("releases/b/history.csv", rollout())
        self.refused("serinus.file.read: releases/b: a release without its rollout")
        os.remove(os.path.join(self.releases, "b", "history.csv"))
        os.rmdir(os.path.join(self.releases, "b"))
        self.file("releases/labels.csv", "release,label\na,good\nz,bad\n")
        self.refused('serinus.data.value: releases/labels.csv: the release "z" has a label and no folder')
        self.file("releases/labels.csv", "release,label\na,fine\n")
        self.refused("labels.csv: line 2, column label is \"fine\"")
        os.remove(os.path.join(self.releases, "labels.csv"))
        self.refused("labels.csv: is not there", arguments=("--since", "ready"))
        self.refused("--try alpha: the change is", "allowed: KEY=VALUE", arguments=("--try", "alpha"))
        self.refused("serinus.plan.unknown_key: --try alphaa=1", arguments=("--try", "alphaa=1"))
        self.refused("--try metrics[7].muted=true", arguments=("--try", "metrics[7].muted=true"))
        self.file("releases/a/rollout.csv", "timestamp,series,arm,value\nnoon,n,canary,1\n")
        self.refused("serinus.data.timestamp: releases/a/rollout.csv: line 2")

    def test_a_hostile_name_is_only_a_name(self):
        name = "=cmd|calc\x1b[31m<b>\n,\""
        self.file(f"releases/{name}/rollout.csv", rollout(errors=12))
        _, out, _ = self.backtest()
        self.assertNotIn("\x1b", out)
        self.assertEqual(json.loads(self.backtest("--format", "json")[1])["releases"][0]["name"], name)
        rows = list(csv.DictReader(io.StringIO(self.backtest("--format", "csv")[1], newline="")))
        self.assertEqual(rows[0]["release"], "'" + name)

    def test_a_bar_shows_on_a_terminal_alone(self):
        self.collection()
        own, theirs = pty.openpty()
        result = subprocess.run([SERINUS, "backtest", "plan.json", "releases"], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=theirs, timeout=120, check=False)
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(own, 65536):
                shown += part
        except OSError:
            pass  # the other end is closed
        os.close(own)
        self.assertIn(b"] 3 of 3", shown)
        self.assertTrue(shown.endswith(b"\r\x1b[K"))
        self.assertNotIn(b"of 3\r", result.stdout)


def main():
    global SERINUS
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    known, rest = parser.parse_known_args()
    SERINUS = os.path.abspath(known.serinus)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
