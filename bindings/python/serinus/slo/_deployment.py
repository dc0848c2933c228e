"""How sure a burn rate is, and what a deployment costs of the error budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from ..sequential._counts import proportions

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import ArrayLike


class BurnIntervalResult(_core.BurnIntervalResult):
    """What `burn_interval` found: the burn rate (NaN without an event) and the bounds that its counts allow."""


class DeploymentBudgetResult(_core.DeploymentBudgetResult):
    """What `deployment_budget` found; every `share` is one of the period's budget, budget x expected_events bad events.

    Attributes
    ----------
    canary_burn, baseline_burn, service_burn : float
        Burn rates of each arm, and of both together.
    projected_burn : float
        Of the service, had the canary all its traffic.
    excess, lower, upper : float
        The canary's bad events beyond the baseline's share, with bounds.
    share, share_lower, share_upper : float
        The same as a share of the period's budget.
    total_share : float
        All of the canary's bad events as such a share.
    promoted_share, promoted_share_lower, promoted_share_upper : float
        Of `promoted_events`, beyond the baseline; NaN and without bounds if not asked.
    ratio, ratio_lower, ratio_upper : float
        The canary's share of bad events over the baseline's; exact bounds, whatever the method.
    p_value : float
        Of a canary no worse than the baseline, exact and one-sided.
    confidence : float
    method : str
    """


def burn_interval(
    bad: float,
    total: float,
    budget: float,
    *,
    method: Literal["clopper_pearson", "poisson"] = "clopper_pearson",
    confidence: float = 0.95,
) -> BurnIntervalResult:
    """Between which burn rates does the truth lie, given `bad` of `total` events?

    For one look: the bounds do not hold at every look of many (`ExcessSequence` has such). Events of one outage fail
    together, so that they say less than their number.

    Parameters
    ----------
    bad, total : whole numbers
    budget : float
        The share of events that may be bad, in (0, 1).
    method : {"clopper_pearson", "poisson"}
        The exact interval of a proportion, or that of a Poisson mean, which is wider.
    confidence : float

    Examples
    --------
    >>> from serinus import slo
    >>> found = slo.burn_interval(1, 36, budget=0.001)
    >>> round(found.burn, 2), round(found.lower, 3), round(found.upper, 1)
    (27.78, 0.703, 145.3)
    """
    return _core.burn_interval(bad, total, budget, confidence=confidence, method=method)


def probability_burn_exceeds(bad: float, total: float, budget: float, factor: float) -> float:
    """How probable is it that the burn rate really exceeds `factor`?

    By the posterior under Jeffreys' prior. Without an event NaN; 0 for a factor that no rate can exceed.

    Examples
    --------
    >>> from serinus import slo
    >>> round(slo.probability_burn_exceeds(1, 36, budget=0.001, factor=14.4), 4)
    0.7923
    """
    return _core.probability_burn_exceeds(bad, total, budget, factor)


def burn_p_value(bad: float, total: float, budget: float, factor: float) -> float:
    """How probable are as many bad events, or more, at a burn rate of exactly `factor`?

    The exact one-sided binomial p-value against a burn rate of at most `factor`, for one look.

    Examples
    --------
    >>> from serinus import slo
    >>> round(slo.burn_p_value(1, 36, budget=0.001, factor=14.4), 4)
    0.4068
    """
    return _core.burn_p_value(bad, total, budget, factor)


def deployment_budget(
    bad_b: float,
    total_b: float,
    bad_c: float,
    total_c: float,
    *,
    budget: float,
    expected_events: float,
    promoted_events: float = 0.0,
    method: Literal["newcombe", "rate_ratio"] = "newcombe",
    confidence: float = 0.95,
) -> DeploymentBudgetResult:
    """How many bad events did the canary bring beyond the baseline's share, and what part of the error budget is that?

    One look; for a rollout that is watched see `ExcessSequence`. Events must fail independently of each other.

    Parameters
    ----------
    bad_b, total_b, bad_c, total_c : whole numbers
        Bad events and all events of the baseline, then of the canary.
    budget : float
        The objective's: the share of events that may be bad, in (0, 1).
    expected_events : float
        Of the whole service in the objective's period.
    promoted_events : float
        That the canary would serve if it were promoted for a time: rate x time; 0: not asked.
    method : {"newcombe", "rate_ratio"}
        Bounds of the expected excess, by the difference of the shares; or of the bad events that were seen, those that
        the baseline's version would not have brought, by the exact ratio of the rates.
    confidence : float

    Examples
    --------
    >>> from serinus import slo
    >>> ate = slo.deployment_budget(40, 95000, 15, 1000, budget=0.001, expected_events=8.64e6)
    >>> round(ate.excess, 2), round(ate.lower, 2), round(ate.upper, 2)
    (14.58, 8.69, 24.18)
    >>> round(ate.share, 5), round(ate.projected_burn, 6)
    (0.00169, 15.0)
    """
    return _core.deployment_budget(
        bad_b,
        total_b,
        bad_c,
        total_c,
        budget=budget,
        expected_events=expected_events,
        promoted_events=promoted_events,
        confidence=confidence,
        method=method,
    )


class ExcessSequence(_core.ExcessSequence):
    """How many bad events has the canary brought beyond the baseline's share, so far? Bounds that hold at every look.

    What is bounded is the sum over intervals of n_c (p_c - p_b): the canary's events times the difference of the rates,
    whatever these were in each interval. They may drift and depend on the past.

    Parameters
    ----------
    alpha_lower, alpha_upper : float
        The lower and the upper bound are ever wrong with at most these probabilities.
    dispersion : float
        Long-run variance of the counts over the binomial one, from history; at least 1.

    Notes
    -----
    Proved: for events that fail independently given the rates, dispersion 1. With a larger dispersion: measured, not
    proved. An interval whose baseline is empty, or has less than a twentieth of the canary's events, is left out.

    Examples
    --------
    >>> from serinus import slo
    >>> excess = slo.ExcessSequence(alpha_lower=0.01, alpha_upper=0.05)
    >>> for interval in range(200):
    ...     excess.update(9, 900, 3, 100)
    >>> round(excess.estimate, 6)
    400.0
    >>> 250 < excess.lower < 400 < excess.upper < 550
    True
    """

    __slots__ = ()

    def __init__(self, *, alpha_lower: float = 0.025, alpha_upper: float = 0.025, dispersion: float = 1.0) -> None:
        super().__init__(alpha_lower=alpha_lower, alpha_upper=alpha_upper, dispersion=dispersion)

    def update_many(self, bad_b: ArrayLike, total_b: ArrayLike, bad_c: ArrayLike, total_c: ArrayLike) -> None:
        """Takes many intervals at once, in order: four arrays of one length, or single numbers for all of them.

        Nothing is taken when a count is impossible.
        """
        self._update_many(*proportions(bad_b, total_b, bad_c, total_c))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self._options, self.state())

    def __repr__(self) -> str:
        return f"ExcessSequence(estimate={self.estimate:.4g}, lower={self.lower:.4g}, upper={self.upper:.4g})"


def _revive(cls: type[ExcessSequence], options: dict[str, Any], state: bytes) -> ExcessSequence:
    excess = cls(**options)
    excess.restore(state)
    return excess
