"""Mixture martingales and boundaries, valid at every time at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _core

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def _numbers(name: str, given: ArrayLike) -> NDArray[np.float64]:
    """float64 of a number or of anything array-like, of any shape."""
    array = None if given is None or isinstance(given, (str, bytes)) else np.asarray(given)
    if array is None or array.dtype.kind not in "iuf":
        _core.fail("serinus.argument.type", f"{name} is {given!r:.60}; allowed: a number or an array of numbers")
    return array.astype(np.float64)


def _single(**given: float) -> tuple[float, ...]:
    """Numbers that are no arrays: what a mixture is tuned for."""
    return tuple(_core.number(name, value) for name, value in given.items())


def normal_mixture(
    v: ArrayLike, alpha: ArrayLike, tuned_at: float, *, tuned_alpha: float = 0.05, one_sided: bool = True
) -> Any:
    """The boundary of `log_normal_mixture`: the sum at which that martingale is worth 1/alpha.

    Parameters
    ----------
    alpha : float or array_like
        The probability of ever exceeding the boundary; in (0, 1).
    v, tuned_at, tuned_alpha, one_sided
        As for `log_normal_mixture`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import normal_mixture
    >>> round(normal_mixture(100, 0.05, 100), 4)
    27.6607
    """
    return _core.normal_mixture(
        _numbers("v", v),
        _numbers("alpha", alpha),
        *_single(tuned_at=tuned_at, tuned_alpha=tuned_alpha),
        bool(one_sided),
    )


def log_normal_mixture(
    s: ArrayLike, v: ArrayLike, tuned_at: float, *, tuned_alpha: float = 0.05, one_sided: bool = True
) -> Any:
    """Log of the mixture martingale for sums of sub-Gaussian increments.

    Such are normal ones, and bounded ones by their range.

    Parameters
    ----------
    s : float or array_like
        The sum; any number.
    v : float or array_like
        The variance it has used, in the unit of s squared; 0 or more.
    tuned_at : float
        Above 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest.
    tuned_alpha : float
        In (0, 1), one-sided in (0, 1/2).
    one_sided : bool
        Against a mean of at most 0, or of 0.

    Returns
    -------
    float or ndarray
        Reject where it is at least log(1/alpha).

    Examples
    --------
    >>> from serinus.sequential import log_normal_mixture
    >>> round(log_normal_mixture(20, 30, 120), 4)
    4.3016
    """
    return _core.log_normal_mixture(
        _numbers("s", s), _numbers("v", v), *_single(tuned_at=tuned_at, tuned_alpha=tuned_alpha), bool(one_sided)
    )


def gamma_exponential(v: ArrayLike, alpha: ArrayLike, tuned_at: float, c: float, *, tuned_alpha: float = 0.05) -> Any:
    """The boundary of `log_gamma_exponential`: the sum at which that martingale is worth 1/alpha.

    Parameters
    ----------
    alpha : float or array_like
        The probability of ever exceeding the boundary; in (0, 1).
    v, tuned_at, c, tuned_alpha
        As for `log_gamma_exponential`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import gamma_exponential
    >>> round(gamma_exponential(100, 0.05, 100, 0.5), 4)
    28.9246
    """
    return _core.gamma_exponential(
        _numbers("v", v), _numbers("alpha", alpha), *_single(tuned_at=tuned_at, c=c, tuned_alpha=tuned_alpha)
    )


def log_gamma_exponential(s: ArrayLike, v: ArrayLike, tuned_at: float, c: float, *, tuned_alpha: float = 0.05) -> Any:
    """Log of the mixture martingale for sums of sub-exponential increments.

    Such are waiting times, and bounded ones by their variance.

    Parameters
    ----------
    s : float or array_like
        The sum; any number.
    v : float or array_like
        The variance it has used, in the unit of s squared; 0 or more.
    tuned_at : float
        Above 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest.
    c : float
        The scale, in the unit of the sum; at 0 the mixture is the one-sided normal one.
    tuned_alpha : float
        In (0, 1/2).

    Returns
    -------
    float or ndarray
        Reject where it is at least log(1/alpha).

    Examples
    --------
    >>> from serinus.sequential import log_gamma_exponential
    >>> round(log_gamma_exponential(20, 30, 120, 0.5), 4)
    3.7867
    """
    return _core.log_gamma_exponential(
        _numbers("s", s), _numbers("v", v), *_single(tuned_at=tuned_at, c=c, tuned_alpha=tuned_alpha)
    )


def gamma_poisson(v: ArrayLike, alpha: ArrayLike, tuned_at: float, c: float, *, tuned_alpha: float = 0.05) -> Any:
    """The boundary of `log_gamma_poisson`: the sum at which that martingale is worth 1/alpha.

    Parameters
    ----------
    alpha : float or array_like
        The probability of ever exceeding the boundary; in (0, 1).
    v, tuned_at, c, tuned_alpha
        As for `log_gamma_poisson`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import gamma_poisson
    >>> round(gamma_poisson(100, 0.05, 100, 1), 4)
    28.9533
    """
    return _core.gamma_poisson(
        _numbers("v", v), _numbers("alpha", alpha), *_single(tuned_at=tuned_at, c=c, tuned_alpha=tuned_alpha)
    )


def log_gamma_poisson(s: ArrayLike, v: ArrayLike, tuned_at: float, c: float, *, tuned_alpha: float = 0.05) -> Any:
    """Log of the mixture martingale for sums of sub-Poisson increments.

    Such are counts of events minus their expectation: c = 1, v the expectation.

    Parameters
    ----------
    s : float or array_like
        The sum; any number.
    v : float or array_like
        The variance it has used, in the unit of s squared; 0 or more.
    tuned_at : float
        Above 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest.
    c : float
        The scale, in the unit of the sum; at 0 the mixture is the one-sided normal one.
    tuned_alpha : float
        In (0, 1/2).

    Returns
    -------
    float or ndarray
        Reject where it is at least log(1/alpha).

    Examples
    --------
    >>> from serinus.sequential import log_gamma_poisson
    >>> round(log_gamma_poisson(20, 30, 120, 1), 4)
    3.7237
    """
    return _core.log_gamma_poisson(
        _numbers("s", s), _numbers("v", v), *_single(tuned_at=tuned_at, c=c, tuned_alpha=tuned_alpha)
    )


def beta_binomial(
    v: ArrayLike,
    alpha: ArrayLike,
    tuned_at: float,
    g: float,
    h: float,
    *,
    tuned_alpha: float = 0.05,
    one_sided: bool = True,
) -> Any:
    """The boundary of `log_beta_binomial`: the sum at which that martingale is worth 1/alpha.

    Parameters
    ----------
    alpha : float or array_like
        The probability of ever exceeding the boundary; in (0, 1).
    v, tuned_at, g, h, tuned_alpha, one_sided
        As for `log_beta_binomial`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import beta_binomial
    >>> round(beta_binomial(9.9, 0.05, 10, 0.01, 0.99), 4)
    9.9153
    """
    return _core.beta_binomial(
        _numbers("v", v),
        _numbers("alpha", alpha),
        *_single(tuned_at=tuned_at, g=g, h=h, tuned_alpha=tuned_alpha),
        bool(one_sided),
    )


def log_beta_binomial(
    s: ArrayLike,
    v: ArrayLike,
    tuned_at: float,
    g: float,
    h: float,
    *,
    tuned_alpha: float = 0.05,
    one_sided: bool = True,
) -> Any:
    """Log of the mixture martingale for sums of bounded increments.

    Such are failed requests minus their expectation: g = p, h = 1 - p, v = p (1 - p) n.

    Parameters
    ----------
    s : float or array_like
        The sum; any number.
    v : float or array_like
        The variance it has used, in the unit of s squared; 0 or more.
    tuned_at : float
        Above 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest.
    g, h : float
        Above 0: increments lie in [-g, h].
    tuned_alpha : float
        In (0, 1), one-sided in (0, 1/2).
    one_sided : bool
        Against a mean of at most 0, or of 0.

    Returns
    -------
    float or ndarray
        Reject where it is at least log(1/alpha).

    Examples
    --------
    >>> from serinus.sequential import log_beta_binomial
    >>> round(log_beta_binomial(20, 9.9, 10, 0.01, 0.99), 4)
    11.2434
    """
    return _core.log_beta_binomial(
        _numbers("s", s),
        _numbers("v", v),
        *_single(tuned_at=tuned_at, g=g, h=h, tuned_alpha=tuned_alpha),
        bool(one_sided),
    )


def poly_stitching(
    v: ArrayLike, alpha: ArrayLike, from_time: float, *, c: float = 0, s: float = 1.4, eta: float = 2
) -> Any:
    """The polynomial stitched boundary, in closed form: it grows like the law of the iterated logarithm.

    Parameters
    ----------
    v : float or array_like
        The variance that the sum has used; below `from_time` the boundary stays where it is there.
    alpha : float or array_like
        The probability of ever exceeding the boundary; in (0, 1).
    from_time : float
        Above 0: where it begins to be tight.
    c : float
        Scale of sub-gamma increments; 0: sub-Gaussian; below 0: a lighter upper tail.
    s, eta : float
        Above 1: how the error is shared among the pieces, and how much longer each is than the one before.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import poly_stitching
    >>> round(poly_stitching(1000, 0.05, 10), 4)
    119.8998
    """
    return _core.poly_stitching(
        _numbers("v", v), _numbers("alpha", alpha), *_single(from_time=from_time, c=c, s=s, eta=eta)
    )


def double_stitching_bound(
    quantile_p: ArrayLike,
    t: ArrayLike,
    alpha: ArrayLike,
    tuned_at: float,
    *,
    delta: float = 0.5,
    s: float = 1.4,
    eta: float = 2,
) -> Any:
    """How far the number of values below the p-quantile strays from p t: for every p and every t at once.

    Parameters
    ----------
    quantile_p : float or array_like
        In (0, 1).
    t : float or array_like
        Number of values, above 0.
    alpha : float or array_like
        In (0, 1).
    tuned_at : float
        Above 0: where it begins to be tight.
    delta : float
        Above 0: the fineness of the grid of p.
    s, eta : float
        As for `poly_stitching`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import double_stitching_bound
    >>> round(double_stitching_bound(0.95, 1000, 0.05, 100), 4)
    30.8126
    """
    return _core.double_stitching_bound(
        _numbers("quantile_p", quantile_p),
        _numbers("t", t),
        _numbers("alpha", alpha),
        *_single(tuned_at=tuned_at, delta=delta, s=s, eta=eta),
    )


def empirical_process_lil_bound(t: ArrayLike, alpha: float, from_size: float, *, A: float = 0.85) -> Any:
    """How far an empirical distribution function strays from the true one: everywhere, at all t >= from_size at once.

    Parameters
    ----------
    t : float or array_like
        Number of values; before `from_size` the bound is infinite.
    alpha : float
        In (0, 1).
    from_size : float
        Above 0: where it begins.
    A : float
        Above sqrt(1/2): smaller is tighter later, larger is tighter early.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from serinus.sequential import empirical_process_lil_bound
    >>> round(empirical_process_lil_bound(1000, 0.05, 100), 4)
    0.082
    """
    return _core.empirical_process_lil_bound(_numbers("t", t), *_single(alpha=alpha, from_size=from_size, A=A))


class BernoulliInterval(NamedTuple):
    """What `bernoulli_confidence_interval` found: numbers, or arrays for arrays."""

    lower: Any
    upper: Any


def bernoulli_confidence_interval(
    successes: ArrayLike, trials: ArrayLike, alpha: float, tuned_at: float, *, tuned_alpha: float = 0.05
) -> BernoulliInterval:
    """The probability of success, covered at all times at once with probability 1 - alpha.

    Parameters
    ----------
    successes : float or array_like
        From 0 to `trials`; sums of values between 0 and 1 may stand for them.
    trials : float or array_like
        With none the interval is [0, 1].
    alpha : float
        In (0, 1).
    tuned_at : float
        Above 0: the number of trials at which it shall be tightest.
    tuned_alpha : float
        In (0, 1).

    Returns
    -------
    BernoulliInterval
        `lower` and `upper`. With one success `lower` is 0, with two nearly.

    Examples
    --------
    >>> from serinus.sequential import bernoulli_confidence_interval
    >>> found = bernoulli_confidence_interval(30, 300, 0.05, 100)
    >>> round(found.lower, 4), round(found.upper, 4)
    (0.0533, 0.1612)
    """
    return BernoulliInterval(
        *_core.bernoulli_confidence_interval(
            _numbers("successes", successes),
            _numbers("trials", trials),
            *_single(alpha=alpha, tuned_at=tuned_at, tuned_alpha=tuned_alpha),
        )
    )
