"""Many looks: tests that may be looked at after every observation, as often as you like.

The chance that a test *ever* reaches an e-value of 1/alpha while its null hypothesis is true is at most alpha.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import _core, _inputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Combined", "ProportionTest", "StartMixture", "combine", "start_weight"]


class ProportionTest(_core.ProportionTest):
    """Is the canary's share of bad requests beyond the margin (`side="harm"`), or certainly not (`side="safe"`)?

    Reject as soon as `log_e_value >= log(1/alpha)`, that is `decided`. The null hypothesis of `side="harm"` with
    `harm="increase"`: in every interval, given the past, p_canary <= ratio * p_baseline (or p_baseline + difference).
    Rates may drift and sizes may change with every interval.

    Parameters
    ----------
    alpha : float
        Error of the decision, in (0, 1).
    harm : {"increase", "decrease", "either"}
        Which way the share gets worse.
    margin : dict
        How much worse the canary may be: {"ratio": r} with r >= 1 (1: any harm counts) or {"difference": d} with
        0 <= d < 1. Given for the direction of harm.
    side : {"harm", "safe"}
        Evidence of harm beyond the margin, or of its absence.
    method : {"auto", "conditional", "block"}
        "conditional" serves ratios, "block" ratios and differences; "auto" takes the first where it can.
    dispersion : float
        Long-run variance of the counts over the binomial one, at least 1, learned from history.
    noise : dict, optional
        The same as a plan carries it: {"dispersion": 1.3}. Give one of the two.
    alpha_promote : float, optional
        Error of the interval's end that is not on the side of harm; default alpha.
    interval : bool
        Keep what `lower` and `upper` of the evidence are made of.

    Notes
    -----
    Proved: the error rate for independent requests. Measured, not proved: for over-dispersed counts with a dispersion
    learned from history. No event at all: the e-value stays 1 and the estimate is NaN.

    Examples
    --------
    >>> from serinus.sequential import ProportionTest
    >>> test = ProportionTest(alpha=0.05, margin={"ratio": 2.0})
    >>> for minute in range(10):
    ...     test.update(9, 900, 8, 100)
    >>> test.decided
    True
    >>> evidence = test.evidence()
    >>> evidence.n_canary, round(evidence.estimate, 3)
    (1000.0, 8.0)
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        method: Literal["auto", "conditional", "block"] = "auto",
        dispersion: float | None = None,
        noise: Mapping[str, float] | None = None,
        *,
        alpha_promote: float | None = None,
        interval: bool = True,
    ) -> None:
        if noise is not None:
            if dispersion is not None or set(noise) - {"dispersion"}:
                _core.fail(
                    "serinus.argument.word", f'noise is {noise!r}; allowed: {{"dispersion": number}}, and no dispersion beside it'
                )
            dispersion = noise.get("dispersion")
        super().__init__(
            alpha,
            alpha_promote,
            harm,
            {"ratio": 1.0} if margin is None else dict(margin),
            side,
            method,
            1.0 if dispersion is None else dispersion,
            interval,
        )

    def update_many(self, bad_b: ArrayLike, total_b: ArrayLike, bad_c: ArrayLike, total_c: ArrayLike) -> None:
        """Takes many intervals at once, in order: four arrays of one length, or single numbers for all of them.

        Nothing is taken when a count is impossible.
        """
        self._update_many(*_counts(bad_b, total_b, bad_c, total_c))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive_test, (type(self), self._options, self.state())

    def __repr__(self) -> str:
        alpha, _, harm, margin, side, method, dispersion, _ = self._options
        return (
            f"ProportionTest(alpha={alpha:g}, harm={harm!r}, margin={margin!r}, side={side!r}, method={method!r}, "
            f"dispersion={dispersion:g}; log_e_value={self.log_e_value:.4g})"
        )


class StartMixture(_core.StartMixture):
    """A mixture of one test over the times at which it starts: quick to see harm even when it begins late.

    A test that runs along while the canary is good loses capital. Here only a part of the capital bets from each start
    on; the parts sum to at most 1, so the error rate holds without any correction for the number of starts.

    Parameters
    ----------
    test : ProportionTest
        Its options are taken, what it has seen is not.

    Examples
    --------
    >>> from serinus.sequential import ProportionTest, StartMixture, start_weight
    >>> mixture = StartMixture(ProportionTest(margin={"ratio": 1.5}))
    >>> for i in range(90):
    ...     if i % 30 == 0:
    ...         mixture.begin(start_weight(i // 30))
    ...     mixture.update(9, 900, 1 if i < 60 else 8, 100)
    >>> mixture.decided
    True
    """

    __slots__ = ()

    def __init__(self, test: ProportionTest) -> None:
        super().__init__(test)

    def update_many(self, bad_b: ArrayLike, total_b: ArrayLike, bad_c: ArrayLike, total_c: ArrayLike) -> None:
        """Takes many intervals at once, in order: four arrays of one length, or single numbers for all of them.

        Nothing is taken when a count is impossible.
        """
        self._update_many(*_counts(bad_b, total_b, bad_c, total_c))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive_mixture, (type(self), self._options, self.state())

    def __repr__(self) -> str:
        return f"StartMixture(spent={self.spent:.4g}; log_e_value={self.log_e_value:.4g})"


class Combined(NamedTuple):
    """What `combine` found.

    `log_e_value` is that of the combination; `adjusted` holds for each e-value the log that may be held against
    log(1/alpha) on its own, in the order given.
    """

    log_e_value: float
    adjusted: NDArray[np.float64]


def combine(
    log_e_values: ArrayLike,
    weights: ArrayLike | None = None,
    method: Literal["mean", "product", "bonferroni", "holm", "ebh"] = "mean",
) -> Combined:
    """Several e-values, one answer.

    Parameters
    ----------
    log_e_values : array_like
        Natural logs; infinities are legal, NaN is not.
    weights : array_like, optional
        One for each, at least 0, not all 0; default equal ones. "product" does not use them.
    method : {"mean", "product", "bonferroni", "holm", "ebh"}
        "mean": evidence against "all nulls are true", whatever the dependence. "product": the same, only for e-values
        of independent or consecutive data. "bonferroni", "holm": which nulls are false, none wrongly with probability
        1 - alpha. "ebh": with at most a share alpha of the named ones wrong on average.

    Returns
    -------
    Combined
        `log_e_value` and `adjusted`. No values: a log e-value of 0.

    Examples
    --------
    >>> from serinus.sequential import combine
    >>> round(combine([3.1, 0.2]).log_e_value, 2)
    2.46
    """
    found = _core.combine(
        _inputs.values("log_e_values", log_e_values),
        [] if weights is None else _inputs.values("weights", weights),
        method,
    )
    return Combined(found["log_e_value"], found["adjusted"])


def start_weight(j: int) -> float:
    """The weight of the j-th start (from 0) of an endless schedule: (j + 1)**-1.5 / zeta(1.5); all of them sum to 1."""
    return _core.start_weight(j)


def _counts(*given: ArrayLike) -> tuple[NDArray[np.int64], ...]:
    """Four arrays of whole numbers, of one length, possible everywhere."""
    names = ("bad_b", "total_b", "bad_c", "total_c")
    arrays = []
    for name, one in zip(names, given):
        raw = np.asarray(one)
        floats = raw if raw.ndim == 0 and raw.dtype.kind in "iuf" else _inputs.values(name, one)
        with np.errstate(invalid="ignore"):
            whole = (floats == np.floor(floats)) & (floats >= 0) & (floats <= 2.0**53)
        if not np.all(whole):
            row = int(np.argmin(whole))
            _core.fail(
                "serinus.argument.count",
                f"{name}[{row}] is {np.atleast_1d(floats)[row]:g}; allowed: whole numbers from 0 to 2^53",
            )
        arrays.append(floats.astype(np.int64))
    lengths = {len(array) for array in arrays if array.ndim == 1}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {array.size}" for name, array in zip(names, arrays))
        _core.fail("serinus.argument.length", f"the lengths are {shown}; allowed: one length, or single numbers")
    columns = tuple(np.ascontiguousarray(array) for array in np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays)))
    for arm, bad, total in (("baseline", columns[0], columns[1]), ("canary", columns[2], columns[3])):
        above = bad > total
        if above.any():
            row = int(np.argmax(above))
            _core.fail(
                "serinus.argument.count", f"{arm} has {bad[row]} bad of {total[row]} in row {row}; allowed: bad <= total"
            )
    return columns


def _revive_test(cls: type[ProportionTest], options: Any, state: bytes) -> ProportionTest:
    alpha, alpha_promote, harm, margin, side, method, dispersion, interval = options
    test = cls(alpha, harm, margin, side, method, dispersion, alpha_promote=alpha_promote, interval=interval)
    test.restore(state)
    return test


def _revive_mixture(cls: type[StartMixture], options: Any, state: bytes) -> StartMixture:
    alpha, alpha_promote, harm, margin, side, method, dispersion, interval = options
    mixture = cls(
        ProportionTest(alpha, harm, margin, side, method, dispersion, alpha_promote=alpha_promote, interval=interval)
    )
    mixture.restore(state)
    return mixture
