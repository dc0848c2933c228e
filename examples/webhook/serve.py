"""What a plan decides, over HTTP: for webhooks of Flagger and web metrics of Argo Rollouts (docs/how-to/webhook.md).

    python serve.py plan.json http://prometheus:9090 --port 8080
"""

import argparse
import json
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import serinus


class Rollouts:
    """Judges rollouts by one plan, each from the time that it was first asked about."""

    def __init__(self, plan, prometheus):
        self.plan, self.prometheus, self.began, self.lock = serinus.Plan(plan), prometheus, {}, threading.Lock()

    def fetch(self, query, start, end):
        step = max(1, self.plan.interval_ms // 1000)
        asked = urllib.parse.urlencode({"query": query, "start": start, "end": end, "step": step})
        with urllib.request.urlopen(f"{self.prometheus}/api/v1/query_range?{asked}", timeout=8) as answer:
            return json.load(answer)

    def decide(self, call):
        rollout = tuple(str(call.get(key, "")) for key in ("namespace", "name", "checksum"))
        now = time.time()
        with self.lock:  # a rollout that is told when it began outlives a restart of this server
            since = self.began.setdefault(rollout, float((call.get("metadata") or {}).get("since") or now))
        data = {series: self.fetch(query, since - self.plan.interval_ms / 1000, now) for series, query in self.plan.queries.items()}
        return serinus.judge(self.plan, data, now=now)


def answer_of(path, decision):
    """Status and body. A status above 202 is a failed check to Flagger, which shows the body in its event."""
    reason = f"{decision.decision}: {decision.reasons[0]}" if decision.reasons else decision.decision
    if path == "/argo":
        said = {"decision": decision.decision, "failed": decision.failed, "reasons": [str(r) for r in decision.reasons]}
        return 200, json.dumps(said)
    if path == "/flagger/promote":  # confirm-promotion, confirm-traffic-increase: go on?
        return (200 if decision.decision == "promote" else 409), reason
    if path == "/flagger/check":  # rollout: only what is proven fails; a hold waits
        return (409 if decision.decision == "rollback" else 200), reason
    if path == "/flagger/rollback":  # rollback: here 200 means: roll back
        return (200 if decision.decision == "rollback" else 409), reason
    return 404, "allowed: /argo, /flagger/promote, /flagger/check, /flagger/rollback"


def server(plan, prometheus, port):
    rollouts = Rollouts(plan, prometheus)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            try:
                call = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
                status, body = answer_of(self.path, rollouts.decide(call))
            except (OSError, ValueError) as error:  # Prometheus or the request: neither promotes nor rolls back
                status, body = 424, f"cannot judge: {error}"
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if body[:1] == "{" else "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST

        def log_message(self, *_):
            pass

    return ThreadingHTTPServer(("", port), Handler)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("plan")
    arguments.add_argument("prometheus")
    arguments.add_argument("--port", type=int, default=8080)
    given = arguments.parse_args()
    server(given.plan, given.prometheus, given.port).serve_forever()
