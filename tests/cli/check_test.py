"""`serinus check`: what is wrong with a plan, and how data are understood.

    check_test.py --serinus PROGRAM
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest

SERINUS = ""
READY, MEND = 0, 2
START = 1795382480


def plan(**changes):
    document = {
        "name": "payments",
        "interval": "10s",
        "stages": [{"traffic": 0.2, "min": "10m", "max": "1h"}],
        "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
                     "counter": True, "margin": {"ratio": 1.5}}],
    }
    return {**document, **changes}


def counters(scrapes=91, instances=("web-1", "web-2", "web-3"), arms=("baseline", "canary")):
    rows = ["timestamp,series,arm,value,instance\n"]
    for arm, each in (("baseline", 1600), ("canary", 400)):
        for instance in instances if arm in arms else ():
            for i in range(scrapes):
                rows.append(f"{START + 10 * i},http_requests,{arm},{each * i},{arm}-{instance}\n")
                rows.append(f"{START + 10 * i},http_errors,{arm},{each * i // 50},{arm}-{instance}\n")
    return "".join(rows)


class Check(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def check(self, the_plan, *data, arguments=()):
        files = [self.file(f"data{i}.csv", text) for i, text in enumerate(data)]
        result = subprocess.run([SERINUS, "check", self.file("plan.json", the_plan), *files, *arguments],
                                capture_output=True, timeout=120, check=False)
        return result.returncode, result.stdout.decode(), result.stderr.decode()

    def test_a_good_plan_is_ready(self):
        code, out, err = self.check(plan())
        self.assertEqual((code, err), (READY, ""))
        self.assertTrue(out.startswith("READY  payments   nothing to mend\n"), out)
        self.assertIn("serinus check PLAN DATA", out)

    def test_what_is_wrong_with_a_plan(self):
        code, out, err = self.check(plan(settle="2h", queries={"http_requests": "sum(rate(http_requests_total[1m]))"}))
        self.assertEqual((code, err), (MEND, ""))
        self.assertTrue(out.startswith("MEND  payments   3 things to mend\n"), out)
        text = " ".join(out.split())
        for sentence in ("settle_beyond_stage: an interval settles for 2h, and stage 1 has 1h",
                         "errors.query_of_rates: the query of http_requests asks for rate()",
                         "errors.query_loses_arm: the query of http_requests aggregates the label track away"):
            self.assertIn(sentence, text)

    def test_margins_that_classic_buckets_can_hardly_tell(self):
        latency = {"name": "latency", "kind": "histogram", "series": "request_seconds_bucket", "counter": True,
                   "quantile": 0.95, "margin": {"ratio": 1.25}}
        coarse = plan(metrics=[latency], arms={"baseline": "baseline", "canary": "canary"})
        code, out, _ = self.check(coarse)
        self.assertEqual(code, MEND)
        self.assertIn("coarse_buckets", out)
        self.assertIn("2 to 2.5 times apart", " ".join(out.split()))

        def buckets(bounds):
            rows = ["timestamp,series,arm,le,value\n"]
            for arm in ("baseline", "canary"):
                for i in range(121):
                    for bound in (*bounds, float("inf")):
                        # 1,000 requests an interval, evenly spread between 0 and 1 second
                        count = round(1000 * min(bound, 1)) * i
                        rows.append(f"{START + 10 * i},request_seconds_bucket,{arm},{bound},{count}\n")
            return "".join(rows)

        # With data it is what these buckets can test that is said, and nothing where they can.
        code, out, _ = self.check(coarse, buckets([0.1, 0.25, 0.5, 1, 2.5, 5]))
        self.assertEqual(code, MEND)
        self.assertIn("no_near_bound", out)
        self.assertNotIn("coarse_buckets", out)
        code, out, _ = self.check(coarse, buckets([0.1, 0.5, 0.9, 0.95, 1, 1.1, 1.2]))
        self.assertNotIn("no_near_bound", out)
        self.assertNotIn("coarse_buckets", out)

    def test_how_data_are_understood(self):
        code, out, err = self.check(plan(), counters())
        self.assertEqual((code, err), (READY, ""), out)
        text = " ".join(out.split())
        self.assertIn("errors bad http_errors baseline 3 series of 3 instances (baseline-web-1, baseline-web-2, "
                      "baseline-web-3), 273 samples, every 10s canary 3 series", text)
        self.assertIn("data 2026-11-22T21:21:20Z to 2026-11-22T21:36:20Z", text)

    def test_no_verdict_is_told(self):
        bad = counters().replace("http_errors,canary,", "http_errors,canary,9")
        for arguments in ((), ("--format", "json")):
            out = self.check(plan(), bad, arguments=arguments)[1].lower()
            for word in ("promote", "rollback", "roll back", "harm_proven", "verdict", "fail"):
                self.assertNotIn(word, out)

    def test_missing_and_misnamed_data(self):
        code, out, _ = self.check(plan(), counters(arms=("baseline",)))
        self.assertEqual(code, MEND)
        self.assertIn("errors.missing_canary", out)
        code, out, _ = self.check(plan(), counters().replace("http_errors", "http_error"))
        self.assertEqual(code, MEND)
        self.assertIn("no http_errors; the data have http_error", " ".join(out.split()))

    def test_arms_and_columns_are_told_for_one_call(self):
        told = counters().replace("timestamp,", "When,", 1).replace(",baseline,", ",6d4c9f,").replace(",canary,", ",7f5b2a,")
        code, out, err = self.check(plan(), told, arguments=["--arms", "baseline=6d4c9f,canary=7f5b2a", "--columns", "time=When"])
        self.assertEqual((code, err), (READY, ""))
        self.assertEqual(out, self.check(plan(), counters())[1])

    def test_json_has_the_same(self):
        code, out, _ = self.check(plan(), counters(), arguments=("--format", "json"))
        self.assertEqual(code, READY)
        found = json.loads(out)
        self.assertEqual(list(found), ["version", "plan", "mend", "notes", "series"])
        self.assertEqual(found["plan"], "payments")
        self.assertEqual(found["mend"], [])
        self.assertEqual(found["series"][0], {
            "metric": "errors", "key": "bad", "name": "http_errors", "arm": "baseline", "series": 3,
            "instances": ["baseline-web-1", "baseline-web-2", "baseline-web-3"], "replicas": 1, "samples": 273,
            "spacing_seconds": 10, "first": "2026-11-22T21:21:20Z", "last": "2026-11-22T21:36:20Z"})
        code, out, _ = self.check(plan(settle="2h"), arguments=("--format", "json"))
        self.assertEqual(code, MEND)
        self.assertEqual([(reason["code"], reason["number"]) for reason in json.loads(out)["mend"]],
                         [("settle_beyond_stage", 1191)])

    def test_bad_input_is_an_error_as_for_every_command(self):
        code, out, err = self.check(plan(stages=[]))
        self.assertEqual((code, out), (MEND, ""))
        self.assertTrue(err.startswith("serinus: serinus.plan."), err)
        code, out, err = self.check(plan(), "")
        self.assertEqual((code, out), (MEND, ""))
        self.assertTrue(err.startswith("serinus: serinus.data."), err)
        result = subprocess.run([SERINUS, "check"], capture_output=True, timeout=120, check=False)
        self.assertEqual(result.returncode, MEND)
        self.assertTrue(result.stderr.startswith(b"serinus: usage: PLAN is required"), result.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True, help="the program")
    known, rest = parser.parse_known_args()
    SERINUS = known.serinus
    unittest.main(argv=[sys.argv[0], *rest])
