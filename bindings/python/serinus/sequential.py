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

__all__ = [
    "Combined",
    "PairedTest",
    "ProportionTest",
    "SignedRankTest",
    "StartMixture",
    "combine",
    "paired_noise",
    "start_weight",
]


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


class PairedTest(_core.PairedTest):
    """Is the canary's gauge (a latency, a load, a saturation) worse than the baseline's by more than the margin?

    Reject as soon as `log_e_value >= log(1/alpha)`, that is `decided`. The null hypothesis of `side="harm"` with
    `harm="increase"`: in every interval the canary reads at most what an arm of the baseline's version would read there,
    times the ratio (or plus the difference). What hits both arms alike drops out.

    Parameters
    ----------
    alpha : float
        Error of the decision, in (0, 1).
    harm : {"increase", "decrease", "either"}
    margin : dict
        {"ratio": r} with r >= 1, or {"difference": d} with d >= 0 in the gauge's own unit; default: any difference counts.
    side : {"harm", "safe"}
        Evidence of harm beyond the margin, or of its absence.
    noise : dict or "learn"
        What `paired_noise` gave, or `calibrate` for a metric (its first stage is taken). "learn": the noise is learned from
        the same data, and no error rate is promised.
    alpha_promote : float, optional
        Error of the interval's end that is not on the side of harm; default alpha.
    interval : bool
        Keep what `lower` and `upper` of the evidence are made of.

    Notes
    -----
    Signed ranks within history's differences, their long-run variance from history, and a one-sided normal mixture. Fewer
    than 12 intervals never add evidence. Measured, not proved, for autocorrelated differences.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import PairedTest, paired_noise
    >>> random = np.random.default_rng(1)
    >>> noise = paired_noise(random.normal(0, 4, 2000))
    >>> test = PairedTest(margin={"difference": 1.0}, noise=noise)
    >>> test.update_many(random.normal(6, 4, 40))
    >>> test.decided
    True
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        noise: Mapping[str, Any] | Literal["learn"] = "learn",
        *,
        alpha_promote: float | None = None,
        interval: bool = True,
    ) -> None:
        if isinstance(noise, str) and noise != "learn":
            _core.fail("serinus.argument.word", f"noise is {noise!r}; allowed: \"learn\", or what calibrate gave")
        known = None if isinstance(noise, str) else dict(noise)
        if known is not None and set(known) == {"stages"} and known["stages"]:
            known = dict(known["stages"][0])
        super().__init__(
            alpha, alpha_promote, harm, {"difference": 0.0} if margin is None else dict(margin), side, known, interval
        )

    def update_many(self, differences: ArrayLike) -> None:
        """Takes canary - baseline of many intervals, in order; NaN is no information. For difference margins."""
        self._update_many(_inputs.values("differences", differences))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive_paired, (type(self), self._options, self.state())

    def __repr__(self) -> str:
        alpha, _, harm, margin, side, noise, _ = self._options
        known = "'learn'" if noise is None else "..."
        return (
            f"PairedTest(alpha={alpha:g}, harm={harm!r}, margin={margin!r}, side={side!r}, noise={known}; "
            f"log_e_value={self.log_e_value:.4g})"
        )


class SignedRankTest(_core.SignedRankTest):
    """Is the canary's gauge worse, when differences are independent and symmetric? Needs no history.

    The null hypothesis: beyond the margin every difference is as likely positive as negative, whatever came before. For
    gauges as they come, autocorrelated or skewed, it alarms far too often; `PairedTest` is for those.

    Parameters
    ----------
    alpha : float
        Error of the decision, in (0, 1).
    harm : {"increase", "decrease", "either"}
    margin : dict
        {"difference": d} with d >= 0; default 0.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import SignedRankTest
    >>> test = SignedRankTest()
    >>> test.update_many(np.random.default_rng(1).normal(1, 1, 60))
    >>> test.decided
    True
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(alpha, harm, {"difference": 0.0} if margin is None else dict(margin))

    def update_many(self, differences: ArrayLike) -> None:
        """Takes canary - baseline of many intervals, in order; NaN is no information."""
        self._update_many(_inputs.values("differences", differences))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive_signed_rank, (type(self), self._options, self.state())

    def __repr__(self) -> str:
        alpha, harm, margin = self._options
        return f"SignedRankTest(alpha={alpha:g}, harm={harm!r}, margin={margin!r}; log_e_value={self.log_e_value:.4g})"


def paired_noise(differences: ArrayLike, magnitude: float = 0.0) -> dict[str, Any]:
    """How large are differences between two arms of one version, and how long do they last?

    `serinus.calibrate` does this for a whole plan, instances included; this is its core for one series.

    Parameters
    ----------
    differences : array_like
        canary - baseline of history, both arms running one version, in time order, best 1,500 or more; finite.
    magnitude : float
        The largest value that they came from: differences below 1e-12 of it are rounding errors.

    Returns
    -------
    dict
        For `PairedTest(noise=...)`. Too few points, or all alike: `degrees_of_freedom` is 0, and PairedTest refuses it.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import paired_noise
    >>> noise = paired_noise(np.random.default_rng(1).normal(0, 4, 2000))
    >>> 2.5 < noise["table"][128] < 2.9
    True
    """
    return _core.paired_noise([_inputs.values("differences", differences)], magnitude, False)


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


def _revive_paired(cls: type[PairedTest], options: Any, state: bytes) -> PairedTest:
    alpha, alpha_promote, harm, margin, side, noise, interval = options
    test = cls(alpha, harm, margin, side, "learn" if noise is None else noise, alpha_promote=alpha_promote, interval=interval)
    test.restore(state)
    return test


def _revive_signed_rank(cls: type[SignedRankTest], options: Any, state: bytes) -> SignedRankTest:
    test = cls(*options)
    test.restore(state)
    return test
