"""How well deployments go: ten indicators of a log."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core, _inputs
from ._audit import content

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping


class Indicator(NamedTuple):
    """One indicator of delivery.

    Attributes
    ----------
    indicator : str
        Its name, "deployment_success_rate".
    unit : str
        "share", "seconds", "ratio" (times the baseline) or "change" (0.05: 5 % more).
    verdict : str
        "pass" or "fail" where the whole interval lies on one side of the target, "inconclusive", or "no_data".
    estimate, lower, upper, confidence : float
        nan where nothing is known.
    count : int
        Deployments or runs that tell it.
    target : float
    at_least : bool
        The target is the least that is good, not the most.
    trend : str
        "better", "worse", "steady" or "unknown": the later half against the earlier.
    trend_p_value : float
        Adjusted over all indicators (Holm).
    halves : tuple of float
        The estimates of the earlier and of the later half.
    beside : dict of float
        What belongs to it: median_seconds, waited, mean_wait_seconds, runs, flaky, over_target.
    reasons : tuple of str
        What so few do not allow to say.
    history : tuple of dict
        At most 24 stretches of the log, each with time, value and count.
    """

    indicator: str
    unit: str
    verdict: str
    estimate: float
    lower: float
    upper: float
    confidence: float
    count: int
    target: float
    at_least: bool
    trend: str
    trend_p_value: float
    halves: tuple[float, float]
    beside: dict[str, float]
    reasons: tuple[str, ...]
    history: tuple[dict[str, Any], ...]


class Indicators:
    """The ten indicators of delivery; `serinus.indicators` gives them. Found by index and by name; print it.

    Attributes
    ----------
    deployments, runs : int
        Deployments that ended; runs of pipelines.
    notes : list of str
        What was made of the log: torn lines, events out of order, clocks that disagree.
    """

    __slots__ = ("_all", "_document", "_page", "_text", "deployments", "notes", "runs")

    deployments: int
    runs: int
    notes: list[str]

    def __init__(self, document: str, text: str, page: str) -> None:
        self._document, self._text, self._page = document, text, page
        told = json.loads(document)
        self.deployments, self.runs = told["deployments"], told["runs"]
        self.notes = [note["sentence"] for note in told["notes"]]
        self._all = [_indicator(entry) for entry in told["indicators"]]

    def __getitem__(self, key: int | str) -> Indicator:
        if isinstance(key, int):
            return self._all[key]
        for indicator in self._all:
            if indicator.indicator == key:
                return indicator
        raise KeyError(f"{key!r}; there are {', '.join(indicator.indicator for indicator in self._all)}")

    def __iter__(self) -> Iterator[Indicator]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def to_json(self, indent: int | None = 2) -> str:
        """The indicators as JSON text (data/schema/indicators.schema.json); indent None puts all on one line."""
        return self._document if indent is None else json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` says, as a dict: an unknown number is None."""
        document: dict[str, Any] = json.loads(self._document)
        return document

    def to_html(self) -> str:
        """One page with all of it, for a browser."""
        return self._page

    def __eq__(self, other: object) -> bool:
        return self._document == other._document if isinstance(other, Indicators) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._document)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._document, self._text, self._page)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Indicators({', '.join(f'{each.indicator}={each.verdict}' for each in self._all)})"


for _class in (Indicator, Indicators):
    _class.__module__ = "serinus"


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _indicator(entry: dict[str, Any]) -> Indicator:
    numbers = ("estimate", "lower", "upper", "confidence", "target", "trend_p_value")
    return Indicator(
        **{
            **entry,
            **{name: _number(entry[name]) for name in numbers},
            "halves": (_number(entry["halves"][0]), _number(entry["halves"][1])),
            "reasons": tuple(reason["sentence"] for reason in entry["reasons"]),
            "history": tuple(entry["history"]),
        }
    )


def indicators(
    log: str | bytes | os.PathLike[str] | Iterable[Mapping[str, Any]],
    *,
    targets: Mapping[str, float] | None = None,
    confidence: float = 0.95,
) -> Indicators:
    """Ten indicators of delivery, each with its interval, a verdict against its target, and a trend.

    Parameters
    ----------
    log : path, text, bytes or an iterable of dicts
        One JSON event a line: our own events, CDEvents, GitHub's webhooks, and decisions of Serinus, mixed as they come. A
        text that begins with "{" is the log itself.
    targets : dict, optional
        Other targets than the presets: {"deployment_success_rate": 0.99, "mean_time_to_deploy": 1200}; times in seconds.
    confidence : float
        Of the intervals.

    Returns
    -------
    Indicators

    Examples
    --------
    >>> import serinus
    >>> log = [{"event": "deployment_succeeded", "deployment": f"pay-{i}", "time": 3600 * i} for i in range(30)]
    >>> found = serinus.indicators(log, targets={"deployment_success_rate": 0.8})
    >>> found["deployment_success_rate"].verdict, round(found[0].lower, 3)
    ('pass', 0.884)
    """
    if not isinstance(log, (str, bytes)) and not hasattr(log, "__fspath__"):
        try:
            log = "\n".join(json.dumps(dict(event)) for event in log)  # type: ignore[union-attr]
        except (TypeError, ValueError) as error:
            _inputs._fail("argument.type", f"log cannot be read: {error}; allowed: a path, text, bytes or dicts")
        return Indicators(*_core.indicators(log.encode(), _targets(targets), confidence))
    return Indicators(*_core.indicators(content(log), _targets(targets), confidence))


def _targets(targets: Mapping[str, float] | None) -> list[tuple[str, float]]:
    return [(str(name), float(target)) for name, target in (targets or {}).items()]
