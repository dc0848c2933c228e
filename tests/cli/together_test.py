"""`serinus together`: one answer for services that are rolled out together.

    together_test.py --serinus PROGRAM
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
START = 1795382480


def plan(name):
    return {"name": name, "deployment": f"{name}-7", "alpha": 0.025, "interval": "10s",
            "stages": [{"traffic": 0.1, "min": "2m"}, {"traffic": 0.5, "min": "2m"}],
            "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}}]}


def rollout(errors=2, looks=90):
    rows = ["timestamp,series,arm,value"]
    for i in range(looks):
        for series, baseline, canary in (("n", 900, 100), ("e", 18, errors)):
            rows += [f"{START + 10 * i},{series},baseline,{baseline}", f"{START + 10 * i},{series},canary,{canary}"]
    return "\n".join(rows) + "\n"


class Together(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
            out.write(text)
        return name

    def run_it(self, *arguments, data=None):
        result = subprocess.run([SERINUS, *arguments], cwd=self.folder, input=data, capture_output=True, timeout=120, check=False)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def decision(self, name, **how):
        self.file(f"{name}.json", json.dumps(plan(name)))
        self.file(f"{name}.csv", rollout(**how))
        return self.file(f"{name}.decision", self.run_it("judge", f"{name}.json", f"{name}.csv", "--format", "json")[1])

    def test_one_answer_for_two_services(self):
        good, bad, young = self.decision("orders"), self.decision("payments", errors=12), self.decision("users", looks=6)
        self.assertEqual(self.run_it("together", good, good)[0], 0)
        code, out, err = self.run_it("together", good, bad, young)
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(out.splitlines()[0], "ROLLBACK  3 services together   because of payments-7")
        self.assertIn("next     roll all of them back", out)
        code, out, _ = self.run_it("together", good, young, "--format", "json")
        document = json.loads(out)
        self.assertEqual((code, document["decision"], document["decided_by"], document["alpha"]), (3, "hold", ["users-7"], 0.05))
        self.assertEqual([one["decision"] for one in document["decisions"]], ["promote", "hold"])
        with open(os.path.join(self.folder, bad), "rb") as text:
            self.assertEqual(self.run_it("together", good, "-", data=text.read())[0], 1)

    def test_what_is_no_decision_is_refused(self):
        good = self.decision("orders")
        for text, says in (("", "serinus.data.document: broken: the decision"), ('{"decision": "promote"}', "broken: stage is missing")):
            code, out, err = self.run_it("together", good, self.file("broken", text))
            self.assertEqual((code, out), (2, ""))
            self.assertIn(says, err)
        self.assertIn("serinus.file.read", self.run_it("together", good, "nowhere")[2])
        self.assertIn("DECISION is required", self.run_it("together")[2])


def main():
    global SERINUS
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    known, rest = parser.parse_known_args()
    SERINUS = os.path.abspath(known.serinus)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
