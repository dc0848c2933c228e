"""`serinus init`: a first plan, and the README's first example.

    init_test.py --serinus PROGRAM
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ("web", "batch", "serverless")
CALLS = [(*kind, *prometheus) for kind in ((), *(("--kind", kind) for kind in KINDS)) for prometheus in
         ((), ("--prometheus",))]


def document(text):
    return json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))


class Init(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.plan = os.path.join(folder.name, "plan.json")

    def run_program(self, *arguments):
        result = subprocess.run([SERINUS, *arguments], capture_output=True, timeout=120, check=False)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def test_every_plan_passes_check(self):
        for call in CALLS:
            code, out, err = self.run_program("init", *call)
            self.assertEqual((code, err), (0, ""), call)
            pathlib.Path(self.plan).write_text(out, encoding="utf-8")
            checked = self.run_program("check", self.plan)
            self.assertEqual(checked[0], 0, (call, checked))
            self.assertIn("nothing to mend", checked[1])

    def test_what_is_in_it(self):
        for call in CALLS:
            text = self.run_program("init", *call)[1]
            plan = document(text)
            errors, slow, *more = plan["metrics"]
            self.assertEqual((errors["kind"], errors["missing"]), ("proportion", "fail"))
            self.assertLessEqual({"bad", "total"}, errors.keys())
            self.assertLessEqual({"good", "le", "total"}, slow.keys())
            self.assertEqual([metric["name"] for metric in more], [] if "serverless" in call else ["memory"])
            series = {metric[key] for metric in plan["metrics"] for key in ("bad", "good", "total", "series")
                      if key in metric}
            self.assertEqual(set(plan.get("queries", ())), series if "--prometheus" in call else set())
            for query in plan.get("queries", {}).values():
                self.assertRegex(query, r"\Asum by \(track, instance(, le)?\) \(\w+\{")
            self.assertRegex(text, r"\n *// ")
            self.assertLessEqual(max(map(len, text.split("\n"))), 110)

    def test_the_default_is_web(self):
        self.assertEqual(self.run_program("init"), self.run_program("init", "--kind", "web"))

    def test_output(self):
        self.assertEqual(self.run_program("init", "--output", self.plan), (0, "", ""))
        text = pathlib.Path(self.plan).read_text(encoding="utf-8")
        self.assertEqual(text, self.run_program("init")[1])
        code, out, err = self.run_program("init", "--prometheus", "--output", self.plan)
        self.assertEqual((code, out, err), (2, "", f"serinus: serinus.file.write: {self.plan}: it is there already; "
                                                   "allowed: a new file\n"))
        self.assertEqual(pathlib.Path(self.plan).read_text(encoding="utf-8"), text)

    def test_usage(self):
        code, out, err = self.run_program("init", "--kind", "web3")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err, "serinus: usage: --kind: web3 not in {web,batch,serverless}; serinus init --help says more\n")
        code, out, err = self.run_program("init", "--help")
        self.assertEqual((code, err), (0, ""))
        for part in ("--prometheus", "--kind", "--output", "web,batch,serverless", "serinus init > plan.json"):
            self.assertIn(part, out)
        self.assertRegex(self.run_program("--help")[1], r"\n  init +\S")

    def test_a_rollout_is_judged_by_it(self):
        """Ten pods that share the traffic; each fault of the canary is found, and a canary without one is promoted."""
        def data(errors=1, slow=1, memory=1):
            rows = ["timestamp,series,arm,instance,le,value\n"]
            for minute in range(60):
                for pod in range(10):
                    canary = pod == 9
                    requests = 1000 * minute
                    failed = requests * (errors if canary else 1) // 100
                    late = requests * 2 * (slow if canary else 1) // 100
                    level = (2000 + 7 * pod + minute * (pod + 3) % 11) * (memory if canary else 1)
                    for name, le, value in (("http_requests", "", requests), ("http_errors", "", failed),
                                            ("http_request_duration_seconds_bucket", 0.3, requests - late),
                                            ("http_request_duration_seconds_count", "", requests),
                                            ("memory_bytes", "", 100000 * level)):
                        rows.append(f"{1795382400 + 15 * minute},{name},{'canary' if canary else 'baseline'},pod-{pod},"
                                    f"{le},{value}\n")
            return "".join(rows)

        path = os.path.join(os.path.dirname(self.plan), "data.csv")
        self.run_program("init", "--output", self.plan)
        for faults, expected, says in (({}, 0, "PROMOTE"), ({"errors": 3}, 1, "errors.harm_proven"),
                                       ({"slow": 3}, 1, "slow.harm_proven"), ({"memory": 3}, 1, "memory.harm_proven")):
            pathlib.Path(path).write_text(data(**faults), encoding="utf-8")
            code, out, err = self.run_program("judge", self.plan, path)
            self.assertEqual((code, err), (expected, ""), out)
            self.assertIn(says, out)

    def test_it_is_the_first_example_of_the_readme(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        plans = re.findall(r"^```jsonc?\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
        self.assertEqual(plans[0], self.run_program("init")[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    options, rest = parser.parse_known_args()
    SERINUS = options.serinus
    unittest.main(argv=[sys.argv[0], *rest])
