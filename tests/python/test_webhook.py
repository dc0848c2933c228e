"""The example server for Flagger's webhooks and Argo's web metrics, against a Prometheus that is played."""

import importlib.util
import json
import pathlib
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("serve", ROOT / "examples" / "webhook" / "serve.py")
assert SPEC and SPEC.loader
serve = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(serve)

PLAN = {
    "name": "checkout", "interval": "10s", "settle": "0s", "stages": [{"traffic": 0.5, "min": "10m"}],
    "metrics": [{"name": "errors", "kind": "proportion", "bad": "failed", "total": "requests", "counter": True,
                 "margin": {"ratio": 2}, "detect": {"ratio": 4}}],
    "noise": {"errors": {"dispersion": 1, "intervals": 1000}},
    "arms": {"label": "track", "baseline": "stable", "canary": "canary"},
    "queries": {"failed": "sum by (track) (failed_total)", "requests": "sum by (track) (requests_total)"},
}  # fmt: skip


class Prometheus:
    """Two counters of two arms; of 10,000 requests a step so many fail."""

    def __init__(self) -> None:
        self.bad = {"stable": 100, "canary": 100}
        self.down = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                if outer.down:
                    self.send_error(503)
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(outer.answer(asked)).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        start, end, step = (float(asked[key][0]) for key in ("start", "end", "step"))
        result = []
        for arm, bad in self.bad.items():
            each = bad if "failed" in asked["query"][0] else 10_000
            values = [[start + i * step, str(each * i)] for i in range(int((end - start) / step) + 1)]
            result.append({"metric": {"track": arm}, "values": values})
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Iterator[tuple[Prometheus, str]]:
    prometheus = Prometheus()
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(PLAN))
    webhook = serve.server(str(plan), prometheus.url, 0)
    for server in (prometheus.server, webhook):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield prometheus, f"http://127.0.0.1:{webhook.server_address[1]}"
    for server in (prometheus.server, webhook):
        server.shutdown()
        server.server_close()


def post(url: str, since: float, name: str = "checkout") -> tuple[int, str]:
    """As Flagger asks."""
    call = {"name": name, "namespace": "shop", "phase": "Progressing", "checksum": "1", "metadata": {"since": str(since)}}
    request = urllib.request.Request(url, json.dumps(call).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize(
    ("bad", "minutes", "decision", "statuses"),  # a stage takes ten minutes
    [
        (100, 60, "promote", {"promote": 200, "check": 200, "rollback": 409}),
        (1000, 60, "rollback", {"promote": 409, "check": 409, "rollback": 200}),
        (100, 5, "hold", {"promote": 409, "check": 200, "rollback": 409}),
    ],
)
def test_flagger_and_argo_are_answered(
    world: tuple[Prometheus, str], bad: int, minutes: float, decision: str, statuses: dict[str, int]
) -> None:
    prometheus, url = world
    prometheus.bad["canary"] = bad
    since = time.time() - minutes * 60
    for hook, status in statuses.items():
        code, body = post(f"{url}/flagger/{hook}", since, f"checkout-{minutes}")
        assert (code, body.split(":")[0]) == (status, decision)
        assert len(body) > len(decision) + 10  # the reason, for the event
    code, body = post(f"{url}/argo", since, f"checkout-{minutes}")
    assert code == 200
    assert json.loads(body)["decision"] == decision


def test_without_prometheus_nothing_is_decided(world: tuple[Prometheus, str]) -> None:
    prometheus, url = world
    prometheus.down = True
    for hook in ("flagger/promote", "flagger/check", "flagger/rollback", "argo"):
        code, body = post(f"{url}/{hook}", time.time() - 3600)
        assert code == 424
        assert body.startswith("cannot judge: ")


def test_an_unknown_path_says_which_there_are(world: tuple[Prometheus, str]) -> None:
    code, body = post(f"{world[1]}/flagger", time.time() - 3600)
    assert code == 404
    assert "/flagger/promote" in body
