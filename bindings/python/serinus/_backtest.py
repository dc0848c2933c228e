"""What a plan would have done with former releases."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from . import _core, _inputs
from ._rollout import _plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._rollout import PlanLike


class _Rows(list["dict[str, Any]"]):
    """The rows where there is no pandas, with the same `attrs`."""

    attrs: dict[str, Any]


def backtest(
    plan: PlanLike,
    releases: str | os.PathLike[str] | Mapping[str, Any],
    *,
    try_: str | Iterable[str] = (),
    since: str | None = None,
    until: str | None = None,
    arms: Mapping[str, str] | str | None = None,
    columns: Mapping[str, str] | str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Any:
    """What would this plan have done with former releases, and how often would it have been wrong?

    Each release is replayed as a controller would have asked: noise is learned from its own history, a look is taken at
    every interval that sees what had been sampled by then, and the next stage is entered as soon as the plan promotes
    (or when the data say so in a column `stage`).

    Parameters
    ----------
    plan : Plan, path, JSON text or dict
    releases : path or dict
        * a folder with one folder a release, in it `rollout.csv` (in any format that `judge` reads) and, if known,
          `history.csv`, what was before it; beside the folders `labels.csv` with the columns `release, label` and if you
          like `since, until`;
        * by name, the data of the rollout as for `judge`, or a dict {"rollout": data, "history": data, "label": "bad",
          "since": time, "until": time} of which only the first must be there.
    try_ : text or list of texts, optional
        Keys of the plan to change, each tried alone: "metrics[0].margin.ratio=2", "metrics[errors].muted=true".
    since, until : str, optional
        The columns of labels.csv that say when the canary was started and as of when it is judged, where they are
        called otherwise.
    arms, columns : dict, optional
        As for `judge`.
    progress : callable, optional
        Called with the share that is done, from 0 to 1.

    Returns
    -------
    pandas.DataFrame
        A row a release and try: `try` (empty: the plan as it is), `release, label` ("good", "bad" or missing), `decision`
        ("promote", "hold", "rollback"), `stage, minutes`, `decided_by` (the metrics whose doing it was), `reasons`.
        `attrs["backtest"]` is all of it as a dict, with the false alarms, the misses, their intervals and a record of
        each metric; `attrs["text"]` is the report for people. Without pandas a list of dicts, which has `attrs` too.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> plan = {"name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
    ...         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                      "harm": "increase", "margin": {"ratio": 2.0}}]}
    >>> def rollout(errors):
    ...     rows = [(10 * t, series, arm, value) for t in range(90) for series, arm, value in [
    ...         ("http_requests", "baseline", 900), ("http_errors", "baseline", 9),
    ...         ("http_requests", "canary", 100), ("http_errors", "canary", errors)]]
    ...     return dict(zip(["timestamp", "series", "arm", "value"], map(np.array, zip(*rows))))
    >>> past = serinus.backtest(plan, {"monday": {"rollout": rollout(1), "label": "good"},
    ...                                "tuesday": {"rollout": rollout(9), "label": "bad"}}, try_="metrics[0].muted=true")
    >>> past[["try", "release", "decision"]].values.tolist()[:2]
    [['', 'monday', 'promote'], ['', 'tuesday', 'rollback']]
    >>> past.attrs["backtest"]["misses"]["count"], past.attrs["backtest"]["tries"][0]["changed"][0]["after"]
    (0, 'hold')
    """
    known = _plan(plan)
    told = {"arms": _inputs.told("arms", arms), "columns": _inputs.told("columns", columns)}
    if isinstance(releases, Mapping):
        if since is not None or until is not None:
            _core.fail(
                "serinus.argument.type",
                "since and until are columns of labels.csv; allowed: with a folder, else times of each release",
            )
        former = _core.Releases()
        for name, given in releases.items():
            _add(former, known, str(name), given, arms, columns)
    else:
        former = _core.read_releases(os.fspath(releases), known, since or "", until or "", told["arms"], told["columns"])
    tries = [try_] if isinstance(try_, str) else list(try_)
    document, text = _core.backtest(known, former, tries, progress)
    return _frame(json.loads(document), text)


_PARTS = ("rollout", "history", "label", "since", "until")


def _add(former: _core.Releases, plan: _core.Plan, name: str, given: Any, arms: Any, columns: Any) -> None:
    parts = given if isinstance(given, Mapping) and "rollout" in given else {"rollout": given}
    for part in parts:
        if part not in _PARTS:
            _core.fail("serinus.argument.word", f"release {name!r} has {part!r}; allowed: {', '.join(_PARTS)}")
    data = {
        part: _core.Batch() if parts.get(part) is None else _inputs.batch(parts[part], plan, arms, columns)
        for part in ("rollout", "history")
    }
    times = [
        None if parts.get(part) is None else _inputs.milliseconds(part, parts[part]) for part in ("since", "until")
    ]
    former.add(name, data["rollout"], data["history"], parts.get("label") or "", *times)


def _frame(document: dict[str, Any], text: str) -> Any:
    rows = []
    for run in [document, *document["tries"]]:
        for release in run["releases"]:
            names = [".".join(filter(None, (reason.get("metric"), reason["code"]))) for reason in release["reasons"]]
            row = {"try": run.get("change", ""), "release": release["name"]}
            row |= {key: release[key] for key in ("label", "decision", "stage", "minutes", "decided_by")}
            rows.append(row | {"reasons": names})
    try:
        found: Any = import_module("pandas").DataFrame(rows)
    except ImportError:
        found = _Rows(rows)
    found.attrs = {"backtest": document, "text": text}
    return found
