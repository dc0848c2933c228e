"""Bands around both arms' distribution functions: DistributionBand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import _core, _inputs
from ._values import rows
from ._test import Test, margin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

class StochasticOrder(_core.StochasticOrder):
    """How far apart two distribution functions are, in the direction of harm.

    Attributes
    ----------
    gap : float
        Largest difference of the empirical functions, baseline minus canary for harm="increase".
    at : float
        The value where it is, as the baseline counts it.
    lower : float
        The true functions differ by more than that somewhere, with confidence 1 - alpha; below 0: nothing is known.
    p_value : float
        Always valid, of the hypothesis that they differ nowhere in that direction.
    n_baseline, n_canary : float
        Values of each arm.
    """

    _shown = ("gap", "at", "lower", "p_value")


class _Band(NamedTuple):
    share: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


class DistributionBand(Test, _core.DistributionBand):
    """Where may the distribution functions of both arms run? For drawing after every interval.

    Both bands together hold everywhere, at every moment, with probability 1 - alpha. They are wide: for drawing and for
    "any difference at all", not for deciding on a rollout.

    Parameters
    ----------
    alpha : float
        In (0, 1).
    harm : {"increase", "decrease", "either"}
        The direction that `order` looks at.
    margin : dict
        {"ratio": r} or {"difference": d}, that the canary's values may be worse by in `order`.
    from_size : float
        Values of an arm before it has a band.

    Notes
    -----
    The finite law of the iterated logarithm for empirical distribution functions (Howard and Ramdas 2022, theorem 2):
    proved for independent values. All values are kept, 8 bytes each.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import DistributionBand
    >>> random = np.random.default_rng(1)
    >>> band = DistributionBand()
    >>> band.update(random.normal(0, 1, 2000), random.normal(1, 1, 2000))
    >>> band.order().lower > 0.2
    True
    >>> share, lower, upper = band.cdf("canary", [0.0, 1.0, 2.0])
    >>> bool((lower <= share).all() and (share <= upper).all())
    True
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        from_size: float = 100.0,
    ) -> None:
        super().__init__(alpha=alpha, harm=harm, margin=margin_of(margin, difference=0.0), from_size=from_size)

    def update_many(self, values_b: ArrayLike, values_c: ArrayLike) -> None:
        """Takes many intervals, one a row (or one value an interval); NaN is no information."""
        self._update_many(*rows(values_b, values_c))

    def cdf(self, arm: Literal["baseline", "canary"], x: ArrayLike) -> _Band:
        """The empirical distribution function of an arm and its band at points: (share, lower, upper)."""
        return _Band(*self._cdf(arm, _inputs.values("x", x)))
