"""Makes the rollouts of data/scenarios from the real series of data/real; the same ones every time.

    make.py            writes every <scenario>/<release>/*.csv.gz and labels.csv
    make.py --check    fails where what is there is not what would be written

What is real: how many requests come in a minute, how long they are and what they cost (azure-llm: arrivals and tokens
of real inference requests), the processors' load and what is stolen of it (nab). What is drawn, with fixed seeds: which
arm a request goes to, which requests fail, and which of a minute's real requests it is like. What is harmful in a
release was put there, and is named in its line of RELEASES.
"""

import bisect
import csv
import gzip
import io
import pathlib
import random
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
REAL = HERE.parent / "real"
START = 1795382400  # 2026-11-22T21:20:00Z
MINUTE = 60
# Milliseconds, a fifth to a quarter apart: a margin on a quantile sees no less than the step between two bounds.
BOUNDS = [50, 60, 75, 90, 110, 135, 165, 200, 245, 300, 365, 440, 530, 640, 770, 930, 1120, 1400, 1800, 2400, 4000]


def trace():
    """The real requests, by minute: (context tokens, generated tokens) of each."""
    minutes = {}
    with open(REAL / "azure-llm" / "llm_requests_code.csv", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            hour, minute = row["TIMESTAMP"].split(" ")[1].split(":")[:2]
            of = minutes.setdefault(60 * int(hour) + int(minute), [])
            of.append((int(row["ContextTokens"]), int(row["GeneratedTokens"])))
    return [of for _, of in sorted(minutes.items()) if len(of) >= 60]


TRACE = trace()


def series(name):
    with open(REAL / "nab" / f"{name}.csv", encoding="utf-8") as lines:
        return [float(row["value"]) for row in csv.DictReader(lines)]


CPU, STEAL = series("rds_cpu_utilization_e47b3b"), series("ec2_cpu_utilization_53ea38")


def real_minute(minute):
    """A minute of the trace, which is played forwards and backwards in turn, so that it never jumps."""
    turn, at = divmod(minute, len(TRACE))
    return TRACE[at if turn % 2 == 0 else len(TRACE) - 1 - at]


class Rollout:
    """Rows of one release as they come; each scenario says by minute what its arms do."""

    def __init__(self, name):
        self.random = random.Random(zlib.crc32(name.encode()))
        self.rows = []

    def put(self, minute, series, arm, value, instance="", le="", stage=""):
        self.rows.append((START + MINUTE * minute, series, arm, instance, le, stage, value))

    def some(self, total, share):
        """How many of `total` it is when each is with this chance."""
        if total * share * (1 - share) > 400:
            drawn = self.random.gauss(total * share, (total * share * (1 - share)) ** 0.5)
            return min(total, max(0, round(drawn)))
        return sum(self.random.random() < share for _ in range(total))

    def split(self, minute, scale, traffic):
        """The requests of a real minute times `scale`, in the baseline and in the canary."""
        total = round(len(real_minute(minute)) * scale)
        canary = self.some(total, traffic)
        return total - canary, canary

    def durations(self, minute, series, arm, requests, slower=1.0, tail=1.0, stage="", instance=""):
        """A histogram of how long they took: 40 ms and 4 ms a generated token; `tail` stretches the slowest tenth."""
        times = sorted(40 + 4 * generated for _, generated in real_minute(minute))
        counts = [0] * (len(BOUNDS) + 1)
        for index in self.random.choices(range(len(times)), k=requests):
            stretched = times[index] * slower * (tail if index >= 0.9 * len(times) else 1.0)
            counts[bisect.bisect_left(BOUNDS, stretched)] += 1
        total = 0
        for bound, count in zip([*BOUNDS, "+Inf"], counts):
            total += count
            self.put(minute, series, arm, total, instance, bound, stage)

    def cost(self, minute, requests, dearer=1.0):
        """What so many requests cost, in thousandths of a cent: their tokens, generated ones five times."""
        some = self.random.choices(real_minute(minute), k=min(requests, 200))
        each = sum(context + 5 * generated for context, generated in some) / max(1, len(some))
        return round(requests * each * dearer / 1000, 3)

    def text(self):
        keep = [any(row[i] != "" for row in self.rows) for i in range(7)]
        names = ["timestamp", "series", "arm", "instance", "le", "stage", "value"]
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\n").writerow
        for row in [names, *self.rows]:
            write([cell for cell, kept in zip(row, keep) if kept])
        return out.getvalue()


# ---- payments: 1 % -> 10 % -> 50 % -> 100 %, twenty minutes a stage

def payments(harm):
    def make(rollout):
        ends = harm.get("stages", (20, 40, 60))
        for minute in range(ends[2]):
            stage = 1 + sum(minute >= end for end in ends[:2])
            arms = rollout.split(minute, 40, (0.01, 0.10, 0.50)[stage - 1])
            for arm, requests in zip(("baseline", "canary"), arms):
                ill = harm if arm == "canary" else {}
                rollout.put(minute, "http_requests", arm, requests, stage=stage)
                rollout.put(minute, "http_errors", arm, rollout.some(requests, ill.get("errors", 0.004)), stage=stage)
                paid = rollout.some(requests, 0.3)
                rollout.put(minute, "payments", arm, paid, stage=stage)
                rollout.put(minute, "payments_succeeded", arm, paid - rollout.some(paid, ill.get("declined", 0.015)), stage=stage)
                tail = ill.get("tail", 1.0) if stage > 1 else 1.0
                rollout.durations(minute, "latency_ms", arm, min(requests, 1500), tail=tail, stage=stage)
    return make


# ---- serverless: 5 % -> 25 % -> 100 %, an hour a stage

def serverless(harm):
    def make(rollout):
        before = None
        for minute in range(130):
            stage = 1 + minute // 65
            arms = rollout.split(minute, 20, (0.05, 0.25)[stage - 1])
            # Where more come than in the minute before, new instances start, and their first call is a cold one.
            now = len(real_minute(minute))
            rise = max(0.0, now / before - 1) if before else 0.0
            before = now
            for arm, calls in zip(("baseline", "canary"), arms):
                ill = harm if arm == "canary" else {}
                cold = min(0.5, (0.02 + 0.1 * rise) * ill.get("cold", 1.0))
                rollout.put(minute, "invocations", arm, calls, stage=stage)
                rollout.put(minute, "failures", arm, rollout.some(calls, ill.get("failures", 0.005)), stage=stage)
                rollout.put(minute, "cold_starts", arm, rollout.some(calls, cold), stage=stage)
                rollout.durations(minute, "duration_ms", arm, min(calls, 1000), slower=ill.get("slower", 1.0), stage=stage)
    return make


# ---- redeploy: a rollout with a wrong configuration, and what came after it

def redeploy(harm):
    def make(rollout):
        for minute in range(90):
            arms = rollout.split(minute, 40, 0.10)
            for arm, requests in zip(("baseline", "canary"), arms):
                ill = harm if arm == "canary" and minute >= harm.get("since", 0) else {}
                wrong = rollout.some(requests, ill.get("config", 0.0005))
                other = rollout.some(requests, 0.004)
                rollout.put(minute, "http_requests", arm, requests)
                rollout.put(minute, "config_errors", arm, wrong)
                rollout.put(minute, "http_errors", arm, min(requests, wrong + other))
    return make


# ---- cost against performance at 10 %: nine pods and one

def pods(rollout, minute, arm, count, first, requests, harm):
    """What each pod tells: its share of the requests, what they cost, its processor, and what is stolen of it."""
    for pod in range(first, first + count):
        name = f"{arm}-{pod}"
        mine = requests // count
        rollout.put(minute, "pod_requests", arm, mine, name)
        rollout.put(minute, "pod_cost", arm, rollout.cost(minute, mine, harm.get("dearer", 1.0)), name)
        cpu = CPU[(337 * pod + minute) % len(CPU)] * harm.get("cpu", 1.0)
        rollout.put(minute, "cpu_percent", arm, round(min(cpu, 100.0), 3), name)
        steal = STEAL[(211 * pod + minute) % len(STEAL)] + harm.get("steal", 0.0)
        rollout.put(minute, "steal_percent", arm, round(steal, 3), name)


def cost(harm):
    def make(rollout):
        for minute in range(90):
            arms = rollout.split(minute, 40, 0.10)
            for arm, requests in zip(("baseline", "canary"), arms):
                ill = harm if arm == "canary" else {}
                pods(rollout, minute, arm, 9 if arm == "baseline" else 1, 0 if arm == "baseline" else 9, requests, ill)
                rollout.durations(minute, "latency_ms", arm, min(requests, 1500), slower=ill.get("slower", 1.0))
    return make


# ---- failures: one service and one plan, a failure a release

def failure(harm):
    def make(rollout):
        for minute in range(60):
            base, canary = rollout.split(minute, 40, 0.25)
            herd = harm.get("herd", 0) > minute
            if herd:
                canary *= 4
            for arm, requests in (("baseline", base), ("canary", canary)):
                if arm == "canary" and harm.get("silent_since", 10**9) <= minute:
                    continue
                ill = harm if arm == "canary" else {}
                failing = ill.get("errors", 0.2 if ill and herd else 0.004)
                if arm == "baseline":
                    failing += harm.get("left_behind", 0.0)
                rollout.put(minute, "http_requests", arm, requests)
                rollout.put(minute, "http_errors", arm, rollout.some(requests, failing))
                logins = rollout.some(requests, 0.1)
                rollout.put(minute, "logins", arm, logins)
                rollout.put(minute, "auth_failures", arm, rollout.some(logins, ill.get("auth", 0.02)))
                rollout.durations(minute, "latency_ms", arm, min(requests, 1500), slower=ill.get("slower", 1.0))
                pods(rollout, minute, arm, 6 if arm == "baseline" else 2, 0 if arm == "baseline" else 6, requests, ill)
    return make


def service_history(rollout):
    """Ten hours of the service before: how many of its requests failed."""
    for minute in range(-600, 0):
        requests = round(len(real_minute(minute % (2 * len(TRACE)))) * 40)
        rollout.put(minute, "http_requests", "baseline", requests)
        rollout.put(minute, "http_errors", "baseline", rollout.some(requests, 0.004))


# Scenario, release, label, what is told of it in the end, whose doing it is, how it is made, what is wrong with it.
RELEASES = [
    ("payments", "good", "good", "promote", "", payments({}), "nothing"),
    ("payments", "errors", "bad", "rollback", "errors", payments({"errors": 0.02}), "2 % of its requests fail, not 0.4 %"),
    ("payments", "slow", "bad", "rollback", "latency", payments({"tail": 1.8}), "from 10 % of the traffic on the slowest tenth takes 1.8 times as long"),
    ("payments", "declined", "bad", "rollback", "transactions", payments({"declined": 0.06, "stages": (60, 80, 100)}), "6 % of its payments do not succeed, not 1.5 %, and every request answers 200"),
    ("serverless", "good", "good", "promote", "", serverless({}), "nothing"),
    ("serverless", "cold", "bad", "rollback", "cold_starts", serverless({"cold": 2.5}), "2.5 times as many calls start cold"),
    ("serverless", "slow", "bad", "rollback", "duration", serverless({"slower": 1.6}), "calls take 1.6 times as long"),
    ("serverless", "failing", "bad", "rollback", "failures", serverless({"failures": 0.02}), "2 % of its calls fail, not 0.5 %"),
    ("redeploy", "1-broken", "bad", "rollback", "errors config_errors", redeploy({"config": 0.08}), "a wrong setting: 8 % of its requests fail by it"),
    ("redeploy", "2-patched", "good", "promote", "", redeploy({}), "nothing any more"),
    ("redeploy", "3-recurs", "bad", "rollback", "config_errors", redeploy({"config": 0.005, "since": 15}), "after 15 minutes the old setting comes back on one of its pods: 0.5 % of its requests fail by it"),
    ("cost", "leaner", "good", "promote", "", cost({"dearer": 0.95}), "5 % cheaper, as fast as before"),
    ("cost", "worth-it", "good", "promote", "", cost({"dearer": 1.05, "slower": 0.8}), "5 % dearer and 20 % faster: a trade that the plan accepts"),
    ("cost", "dear", "bad", "rollback", "cost", cost({"dearer": 1.4, "slower": 0.85, "cpu": 1.1}), "40 % dearer and 15 % faster: a trade that it does not"),
    ("cost", "stolen", "bad", "rollback", "steal", cost({"steal": 12.0}), "12 points of its processor are stolen by a neighbour"),
    ("failures", "none", "good", "promote", "", failure({}), "nothing"),
    ("failures", "f1-partial-rollback", "bad", "hold", "errors", failure({"left_behind": 0.05}), "part of the baseline still runs a version that was taken back: 5 points more of its requests fail"),
    ("failures", "f3-config-drift", "bad", "rollback", "cost", failure({"dearer": 1.5}), "a cache is switched off by a setting that drifted: what a request costs is 1.5 times as much"),
    ("failures", "f4-auth", "bad", "rollback", "auth", failure({"auth": 0.08}), "8 % of its logins fail, not 2 %"),
    ("failures", "f5-regression", "bad", "rollback", "latency", failure({"slower": 1.5}), "requests take 1.5 times as long"),
    ("failures", "f6-herd", "bad", "rollback", "errors", failure({"herd": 12}), "for 12 minutes all clients come back at once: four times the requests, and a fifth of them fails"),
    ("failures", "f6-herd-in-warm-up", "good", "promote", "", failure({"herd": 3}), "the same, over within the warm-up"),
    ("failures", "f7-cost", "bad", "rollback", "cost", failure({"dearer": 1.35}), "what a request costs is 1.35 times as much"),
    ("failures", "f9-gap", "", "hold", "errors auth latency cost", failure({"silent_since": 12}), "after 12 minutes the canary's telemetry is gone"),
]
HISTORIES = {"failures": service_history}


def files():
    """What is written: (path, text)."""
    labels = {}
    for scenario, release, label, decision, decided_by, make, wrong in RELEASES:
        rollout = Rollout(f"{scenario}/{release}")
        make(rollout)
        yield HERE / scenario / release / "rollout.csv.gz", rollout.text()
        if scenario in HISTORIES:
            history = Rollout(scenario)
            HISTORIES[scenario](history)
            yield HERE / scenario / release / "history.csv.gz", history.text()
        rows = labels.setdefault(scenario, ["release,label,since,decision,decided_by,what is wrong with it"])
        since = START if scenario == "failures" else ""
        rows.append(f'{release},{label},{since},{decision},{decided_by},"{wrong}"')
    for scenario, rows in labels.items():
        yield HERE / scenario / "labels.csv", "\n".join(rows) + "\n"


def main():
    wrong = []
    for path, text in files():
        packed = path.suffix == ".gz"
        if sys.argv[1:] == ["--check"]:
            found = gzip.decompress(path.read_bytes()) if packed and path.exists() else path.read_bytes() if path.exists() else b""
            if found != text.encode():
                wrong.append(f"{path.relative_to(HERE)} is not what make.py writes")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(text.encode(), 9, mtime=0) if packed else text.encode())
    print("\n".join(wrong) or "every rollout is what make.py writes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
