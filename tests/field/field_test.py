"""docs/how-to/prometheus.md against a real Prometheus: each of its commands is run, as it stands on the page.

    field_test.py --serinus PROGRAM [--junit FILE]

A server of exposition texts plays services with a defect each; one Prometheus on the loopback interface scrapes all of
them, a job each, for about a minute. Times are a fifteenth of the page's: scrapes and intervals of a second.
"""

import argparse
import hashlib
import http.server
import json
import math
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import xml.etree.ElementTree as tree

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/how-to/prometheus.md"
SERINUS = ""
PROMOTE, ROLLBACK, ERROR, HOLD, NO_DATA = 0, 1, 2, 3, 4
SECONDS = 65  # that are watched
BOUNDS = (0.1, 0.3, 1.0)

# ---- the services

# A job: what of it is not as in a good rollout. `errors`, `slow`, `memory`: of the canary, as a multiple of the
# baseline's. `every`: seconds from scrape to scrape. `restart`, `die`: seconds after which the canary does. `lost`: the
# share of scrapes of the canary that fail. `label`: what tells the arms apart, and its two values.
JOBS = {
    "good": {},
    "errors": {"errors": 3},
    "slow": {"slow": 10},
    "memory": {"memory": 2.5},
    "restarted": {"restart": 25},
    "killed": {"die": 30},
    "lossy": {"lost": 0.2},
    "lossy-errors": {"lost": 0.2, "errors": 3},
    "rare": {"every": 3},
    "rare-errors": {"every": 3, "errors": 3},
    "versions": {"label": ("version", "v41", "v42")},
    "silent": {"die": 0},
}
USUAL = {"errors": 1, "slow": 1, "memory": 1, "every": 1, "restart": None, "die": None, "lost": 0,
         "label": ("track", "stable", "canary")}


def poisson(source, mean):
    if mean > 50:
        return max(0, round(source.gauss(mean, math.sqrt(mean))))
    count, left = -1, 1.0
    while left > math.exp(-mean):
        count += 1
        left *= source.random()
    return max(0, count)


class Pod:
    """One process, with 400 requests a second."""

    def __init__(self, job, name, canary):
        self.facts = {**USUAL, **JOBS[job]}
        self.source = random.Random(int.from_bytes(hashlib.sha256(f"{job} {name}".encode()).digest()[:8], "big"))
        self.name, self.canary = name, canary
        self.level = 2e8 * (1 + self.source.uniform(-0.02, 0.02))
        self.lock = threading.Lock()
        self.start(time.monotonic())

    def start(self, now):
        self.born = self.last = now
        self.requests = {}  # by path and code: what never happened has no series
        self.took = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def advance(self, now):
        worse = (lambda key: self.facts[key]) if self.canary else (lambda _: 1)
        mean = 400 * (now - self.last)
        self.last = now
        for path, share in (("/", 0.7), ("/cart", 0.3)):
            for code, of in (("500", 0.01 * worse("errors")), ("200", 1 - 0.01 * worse("errors"))):
                count = poisson(self.source, mean * share * of)
                if count:
                    self.requests[path, code] = self.requests.get((path, code), 0) + count
        slow = 0.02 * worse("slow")
        for i, share in enumerate((0.6 * (1 - slow), 0.4 * (1 - slow), 0.9 * slow, 0.1 * slow)):
            count = poisson(self.source, mean * share)
            self.took[i] += count
            self.seconds += count * (0.05, 0.2, 0.6, 2.0)[i]

    def scrape(self, begun):
        """The exposition, or None where the scrape fails."""
        with self.lock:
            now = time.monotonic()
            facts, age = self.facts, now - begun
            if self.canary and facts["die"] is not None and age > facts["die"]:
                return None
            if self.canary and facts["restart"] is not None and age > facts["restart"]:
                if age < facts["restart"] + 2:
                    return None
                if self.born < begun + facts["restart"]:
                    self.start(now)
            self.advance(now)
            if self.canary and self.source.random() < facts["lost"]:
                return None
            memory = self.level * (facts["memory"] if self.canary else 1) * (1 + self.source.gauss(0, 0.01))
            lines = ["# TYPE http_requests_total counter"]
            for (path, code), count in sorted(self.requests.items()):
                lines.append(f'http_requests_total{{path="{path}",code="{code}"}} {count}')
            lines.append("# TYPE http_request_duration_seconds histogram")
            total = 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), self.took):
                total += count
                lines.append(f'http_request_duration_seconds_bucket{{le="{bound}"}} {total}')
            lines.append(f"http_request_duration_seconds_count {total}")
            lines.append(f"http_request_duration_seconds_sum {self.seconds:.3f}")
            lines.append(f"# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory:.0f}")
            return "\n".join(lines) + "\n"


def pods_of(job):
    yield from ((f"stable-{i}", False) for i in range(3))
    yield "canary-0", True


class Services:
    """Every pod of every job at a path of its own: /JOB/POD."""

    def __init__(self):
        self.pods = {f"/{job}/{name}": Pod(job, name, canary) for job in JOBS for name, canary in pods_of(job)}
        self.begun = time.monotonic()
        services = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                text = services.cluster() if self.path == "/cluster" else None
                if pod := services.pods.get(self.path):
                    text = pod.scrape(services.begun)
                body = (text or "").encode()
                self.send_response(503 if text is None else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A scraper that has gone away is its own matter."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def cluster():
        """What others than the pods say of them: cAdvisor and kube-state-metrics."""
        lines = []
        for name, canary in pods_of("good"):
            of = f'namespace="shop",pod="{name}"'
            lines.append(f'kube_pod_labels{{{of},label_track="{"canary" if canary else "stable"}"}} 1')
            lines.append(f'container_memory_working_set_bytes{{{of},container="app"}} 2e8')
        return "\n".join(sorted(lines)) + "\n"


def configuration(address):
    """YAML, of which JSON is a part."""
    jobs = [{"job_name": "cluster", "metrics_path": "/cluster", "honor_labels": True,
             "static_configs": [{"targets": [address]}]}]
    for job, facts in JOBS.items():
        facts = {**USUAL, **facts}
        label, *values = facts["label"]
        targets = [{"targets": [address],
                    "labels": {"__metrics_path__": f"/{job}/{name}", "instance": name, label: values[canary]}}
                   for name, canary in pods_of(job)]
        jobs.append({"job_name": job, "scrape_interval": f"{facts['every']}s", "static_configs": targets})
    return json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Prometheus:
    def __init__(self, folder, address):
        program = shutil.which("prometheus")
        if not program:
            raise unittest.SkipTest("no prometheus (Debian's package of that name)")
        (folder / "prometheus.yml").write_text(configuration(address))
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = open(folder / "prometheus.log", "wb")
        self.process = subprocess.Popen(
            [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.url.removeprefix('http://')}", "--storage.tsdb.retention.size=256MB",
             "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            if self.process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise AssertionError("Prometheus does not start: " + (folder / "prometheus.log").read_text())
            time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        self.log.close()


# ---- the page

def commands():
    """The page's blocks of shell, in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def block(beginning):
    found = [text for text in commands() if text.startswith(beginning)]
    assert len(found) == 1, f"the page has {len(found)} blocks that begin with {beginning!r}"
    return found[0]


def told(assignments, **values):
    """The page's assignments with other values."""
    for name, value in values.items():
        assignments, count = re.subn(rf"^{name}=.*?(?= +#)", f"{name}={value}", assignments, flags=re.MULTILINE)
        assert count == 1, f"the page sets {name} {count} times"
    return assignments


# A fifteenth of the plan's times, and four pods that share the traffic.
FASTER = {'"traffic": 0.1': '"traffic": 0.25', '"interval": "15s"': '"interval": "1s"',
          '"warm_up": "1m"': '"warm_up": "4s"', '"settle": "30s"': '"settle": "2s"',
          '"min": "10m", "max": "1h"': '"min": "40s", "max": "4m"'}


class Shell:
    """Somebody who follows the page for one job, in a folder of their own."""

    def __init__(self, folder, job):
        self.folder, self.job = folder, job
        folder.mkdir()
        self.label, *self.values = {**USUAL, **JOBS[job]}["label"]
        self.run(block("serinus init"))
        self.prepared = told(block("PROMETHEUS="), PROMETHEUS=FIELD.prometheus.url, JOB=job, ARM=self.label, STEP="1",
                             START=str(FIELD.start))
        self.checked = self.run(block("sed "))
        assert self.checked.returncode == 0, self.checked
        plan = folder / "plan.json"
        text = plan.read_text()
        for slow, fast in FASTER.items():
            assert slow in text, slow
            text = text.replace(slow, fast)
        if self.values != ["stable", "canary"]:
            text = text.replace('"stable"', f'"{self.values[0]}"').replace('"canary": "canary"',
                                                                         f'"canary": "{self.values[1]}"')
        plan.write_text(text)
        self.prepared += block("ask()")

    def run(self, script, timeout=120):
        environment = {**os.environ, "PATH": f"{FIELD.bin}:{os.environ['PATH']}", "LC_ALL": "C"}
        return subprocess.run(["sh", "-c", getattr(self, "prepared", "") + script], cwd=self.folder, env=environment,
                              capture_output=True, timeout=timeout, text=True, stdin=subprocess.DEVNULL, check=False)

    def judge(self):
        """The exit code and the answer, its lines made one."""
        result = self.run(block("fetch\nserinus judge"))
        return result.returncode, " ".join((result.stdout + result.stderr).split())


class Field:
    """The services, the server, and a minute of theirs."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "serinus").symlink_to(pathlib.Path(SERINUS).resolve())
        self.services = Services()
        self.prometheus = Prometheus(folder, f"127.0.0.1:{self.services.server.server_port}")
        self.services.begun = time.monotonic()
        self.start = int(time.time())

    def close(self):
        self.prometheus.stop()
        self.services.server.shutdown()
        self.services.server.server_close()


FIELD = None


def setUpModule():
    global FIELD
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    FIELD = Field(pathlib.Path(folder.name))
    unittest.addModuleCleanup(FIELD.close)


class ThePage(unittest.TestCase):
    """Each test is a job; the two that watch run while the minute passes."""

    @classmethod
    def setUpClass(cls):
        cls.shells = {job: Shell(FIELD.folder / job, job) for job in JOBS}
        loop = block("while fetch")
        cls.watched = {}

        def watch(job):
            shell = cls.shells[job]
            cls.watched[job] = shell.run(loop, timeout=200)

        watchers = [threading.Thread(target=watch, args=(job,)) for job in ("good", "errors")]
        for watcher in watchers:
            watcher.start()
        for watcher in watchers:
            watcher.join()
        time.sleep(max(0, FIELD.start + SECONDS - time.time()))

    def expect(self, job, code, *parts, without=()):
        found, text = self.shells[job].judge()
        self.assertEqual(found, code, text)
        for part in parts:
            self.assertRegex(text, part)
        for part in without:
            self.assertNotRegex(text, part)
        return text

    def test_every_block_is_run_here(self):
        beginnings = ("serinus init", "PROMETHEUS=", "sed ", "ask()", "fetch\nserinus check", "fetch\nserinus judge",
                      "while fetch", "fetch\nask ")
        self.assertEqual([text for text in commands() if not text.startswith(beginnings)], [])
        for beginning in beginnings:
            block(beginning)

    def test_the_page_asks_what_the_plan_says(self):
        plan = (self.shells["good"].folder / "plan.json").read_text()
        document = json.loads(re.sub(r"^ *//.*$", "", plan, flags=re.MULTILINE))
        asked = re.findall(r"printf '[{,]\"(\w+)\":' &&\n *ask \"([^\n]*)\" &&", block("ask()"))
        self.assertEqual({name: query.replace("$ARM", "track").replace("$JOB", "good") for name, query in asked},
                         document["queries"])

    def test_the_plan_is_found_right(self):
        for job, shell in self.shells.items():
            self.assertEqual((shell.checked.returncode, shell.checked.stderr), (0, ""), (job, shell.checked.stdout))

    def test_the_data_are_understood(self):
        result = self.shells["good"].run(block("fetch\nserinus check"))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r"http_errors")
        self.assertRegex(result.stdout, r"stable-0, stable-1")

    def test_watching_a_good_canary(self):
        watched = self.watched["good"]
        self.assertEqual(watched.stderr, "")
        self.assertRegex(watched.stdout, r"HOLD .*(?s:.*)PROMOTE .*(?s:.*)")
        self.assertNotIn("ROLLBACK", watched.stdout)

    def test_watching_a_bad_canary(self):
        watched = self.watched["errors"]
        self.assertEqual(watched.stderr, "")
        self.assertRegex(watched.stdout, r"ROLLBACK .*(?s:.*)errors\.harm_proven")
        self.assertNotIn("PROMOTE", watched.stdout)

    def test_good(self):
        self.expect("good", PROMOTE, "errors +pass", "slow +pass", "memory +pass")

    def test_three_times_the_errors(self):
        self.expect("errors", ROLLBACK, r"errors\.harm_proven")

    def test_slow(self):
        self.expect("slow", ROLLBACK, r"slow\.harm_proven", "errors +pass")

    def test_memory(self):
        self.expect("memory", ROLLBACK, r"memory\.harm_proven")

    def test_restarted(self):
        self.expect("restarted", PROMOTE, r"restarts? of counters", without=("harm_proven",))

    def test_killed(self):
        self.expect("killed", ROLLBACK, "canary_silent|missing_rollback", "outside the promise",
                    without=("harm_proven",))

    def test_never_there(self):
        text = self.shells["silent"].judge()
        self.assertIn(text[0], (HOLD, NO_DATA, ROLLBACK), text)
        self.assertRegex(text[1], "missing_canary|canary_silent|no canary sample")

    def test_a_fifth_of_the_scrapes_fails(self):
        # Counters lose nothing by it. Of a gauge readings are missing, in one arm alone.
        self.expect("lossy", HOLD, "errors +pass", "slow +pass", r"memory\.unbalanced_gaps.*telemetry\.max_imbalance")
        self.expect("lossy-errors", ROLLBACK, r"errors\.harm_proven")

    def test_scrapes_rarer_than_the_interval(self):
        self.expect("rare", PROMOTE)
        self.expect("rare-errors", ROLLBACK, r"errors\.harm_proven")

    def test_arms_by_another_label(self):
        self.expect("versions", PROMOTE)

    def test_memory_of_the_cluster(self):
        shell = self.shells["good"]
        result = shell.run(block("fetch\nask "))
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        answer = json.loads((shell.folder / "memory.json").read_text())
        self.assertEqual(sorted((series["metric"]["track"], series["metric"]["pod"]) for series in answer["data"]["result"]),
                         [("canary", "canary-0"), ("stable", "stable-0"), ("stable", "stable-1"), ("stable", "stable-2")])


class Recorded(unittest.TextTestResult):
    """Also knows what has passed."""

    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        self.passed = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed.append(test)


def write_junit(result, path):
    suite = tree.Element("testsuite", name="field")
    for test in result.passed:
        tree.SubElement(suite, "testcase", name=str(test))
    for mark, problems in (("failure", result.failures), ("error", result.errors), ("error", result.skipped)):
        for test, text in problems:
            tree.SubElement(tree.SubElement(suite, "testcase", name=str(test)), mark).text = text
    tree.ElementTree(suite).write(path, encoding="utf-8")


def main():
    global SERINUS
    parser = argparse.ArgumentParser()
    parser.add_argument("--serinus", required=True)
    parser.add_argument("--junit")
    options, rest = parser.parse_known_args()
    SERINUS = options.serinus
    program = unittest.main(argv=[sys.argv[0], *rest], exit=False,
                            testRunner=unittest.TextTestRunner(verbosity=2, resultclass=Recorded))
    if options.junit:
        write_junit(program.result, options.junit)
    # What could not run has not passed.
    return 0 if program.result.wasSuccessful() and not program.result.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
