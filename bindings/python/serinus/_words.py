"""The words of Serinus: each enum member is a `str` and compares equal to its text."""

from __future__ import annotations

from enum import Enum


class _Word(str, Enum):
    """A member prints and formats as its text, on every version of Python."""

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)


class Action(_Word):
    """What a rollout should do now."""

    PROMOTE = "promote"
    HOLD = "hold"
    ROLLBACK = "rollback"


class Verdict(_Word):
    """What is known of one metric."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"


class Guarantee(_Word):
    """What stands behind the promise about alpha."""

    PROVED = "proved"
    MEASURED = "measured"
    NONE = "none"


class Severity(_Word):
    """Who should look, and how soon."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class Harm(_Word):
    """Which way a metric gets worse."""

    INCREASE = "increase"
    DECREASE = "decrease"
    EITHER = "either"


class Kind(_Word):
    """What a metric's data are."""

    PROPORTION = "proportion"
    RATE = "rate"
    GAUGE = "gauge"
    SAMPLE = "sample"
    HISTOGRAM = "histogram"
    RATIO = "ratio"


class Missing(_Word):
    """What a metric without data means."""

    HOLD = "hold"
    FAIL = "fail"
    IGNORE = "ignore"


class MetricArm(_Word):
    """Which arms the series of a metric tell apart."""

    BOTH = "both"
    NONE = "none"


class Watch(_Word):
    """What of a gauge is watched for harm."""

    LEVEL = "level"
    SPIKES = "spikes"
    BOTH = "both"


class OnFail(_Word):
    """What a metric's failure does."""

    ROLLBACK = "rollback"
    HOLD = "hold"


class PromoteWhen(_Word):
    """What a metric must show before the rollout may go on."""

    HARM_RULED_OUT = "harm_ruled_out"
    NO_HARM_FOUND = "no_harm_found"


class Deadline(_Word):
    """What happens when a stage has run for its `max` without a decision."""

    HOLD = "hold"
    ROLLBACK = "rollback"


class Analysis(_Word):
    """How a rollout's data are judged: at every interval, or once at its end."""

    SEQUENTIAL = "sequential"
    FIXED = "fixed"


class BurnStatus(_Word):
    """What is known of a burn rate."""

    OK = "ok"
    NO_TRAFFIC = "no_traffic"
    ABSENT = "absent"
    INSUFFICIENT = "insufficient"


class AlertState(_Word):
    """What a condition of a policy says now."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
