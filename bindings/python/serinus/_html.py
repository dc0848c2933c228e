"""Tables for notebooks."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _core

_COLOURS = {
    "promote": "#1a7f37",
    "pass": "#1a7f37",
    "rollback": "#cf222e",
    "fail": "#cf222e",
    "hold": "#9a6700",
    "inconclusive": "#9a6700",
    "no_data": "#6e7781",
}


def _number(value: float) -> str:
    if math.isnan(value):
        return "&ndash;"
    return "&infin;" if value == math.inf else "&minus;&infin;" if value == -math.inf else f"{value:.4g}"


def _word(word: str) -> str:
    return f'<b style="color:{_COLOURS[word]}">{word}</b>'


def _table(head: list[str], rows: list[list[str]]) -> str:
    def line(tag: str, cells: list[str]) -> str:
        return "<tr>" + "".join(f'<{tag} style="text-align:left">{cell}</{tag}>' for cell in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', head)}</thead><tbody>{body}</tbody></table>"


def fields(title: str, values: dict[str, Any]) -> str:
    """A result's fields, one a row."""
    shown = [[escape(k), _number(v) if isinstance(v, float) else escape(str(v))] for k, v in values.items()]
    return _table([escape(title), ""], shown)


def decision(d: _core.Decision) -> str:
    """A decision: what, why, and the metrics."""
    rows = []
    for metric in d.metrics:
        evidence = metric.evidence
        (kind, margin), *_ = metric.margin.items() or [("ratio", math.nan)]
        needed = math.inf if metric.alpha <= 0 else -math.log(metric.alpha)
        rows.append(
            [
                escape(metric.name) + (" (muted)" if metric.muted else ""),
                _word(metric.verdict),
                _number(evidence.estimate),
                f"{_number(evidence.lower)} to {_number(evidence.upper)}",
                f"{kind} {_number(margin)}",
                f"{_number(evidence.log_e_value)} of {_number(needed)}",
                "<br>".join(escape(reason.sentence) for reason in metric.reasons),
            ]
        )
    # What has failed comes first, by its name.
    failing = [metric.name for metric in d.metrics if metric.verdict == "fail" and not metric.muted]
    failing += [burn.objective for burn in d.burn if burn.verdict == "fail"]
    headline = _word(d.decision) + (f": {escape(', '.join(failing))} failed" if failing else "")
    title = " &middot; ".join(
        [
            headline,
            escape(d.deployment or d.plan),
            f"stage {d.stage} of {d.stages}",
            f"{100 * d.traffic:.4g} % of traffic",
        ]
    )
    reasons = "<br>".join(escape(reason.sentence) for reason in d.reasons)
    reasons += f"<br>alpha {100 * d.alpha:.4g} %: {d.guarantee}"
    head = ["metric", "verdict", "estimate", "interval", "allowed", "log evidence", "why"]
    return f"<div><p>{title}<br>{reasons}</p>{_table(head, rows)}{_objectives(d)}</div>"


def _objectives(d: _core.Decision) -> str:
    """The error budgets, where the plan has any."""
    if not d.burn:
        return ""
    rows = [
        [
            escape(burn.objective),
            _word(burn.verdict),
            _number(burn.share.estimate),
            f"{_number(burn.share.lower)} to {_number(burn.share.upper)}",
            _number(burn.share.allowed),
            f"canary {_number(burn.canary_burn)}, service {_number(burn.service_burn)}",
            f"{_number(burn.halt.log_e_value)} of {_number(burn.halt.needed_log_e_value)}",
            "<br>".join(escape(reason.sentence) for reason in burn.reasons),
        ]
        for burn in d.burn
    ]
    head = ["objective", "verdict", "share of budget", "interval", "allowed", "burn rate", "halt evidence", "why"]
    return _table(head, rows)
