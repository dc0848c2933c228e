"""Gauges with few instances and hardly any history: RotationTest, instance_spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .. import _core
from .._docs import documented
from ._test import Test, margin_of
from ._values import rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from numpy.typing import ArrayLike, NDArray


@documented
class RotationTest(Test, _core.RotationTest):
    """Is the canary's gauge worse than the baseline's by more than the margin, with a few instances of each?

    The unit is an instance, not an interval: how far instances of one version differ is seen from those that run side by
    side, so hardly any history is needed. Three baseline instances decide, or two and one that is known from elsewhere.
    It looks after 5, 6, 8, 10, 12, 15, 19, 24, 30 ... and `last` intervals, and has decided when `decided` is true.

    Parameters
    ----------
    alpha : float
        Error of the decision with `side="harm"`, over all looks, 1/16384 or more and below 1; of the interval's end on the
        side of harm, or with `harm="either"` half of it at each end.
    {harm}
    margin : dict
        {"ratio": r} with r >= 1, which compares means of logs, or {"difference": d} with d >= 0; default: any harm counts.
    {side}
    {alpha_safe}
    last : int
        Intervals that the error is spent over: as many as there will be at most. Nothing is decided after them.
    since : int
        Nothing is decided before so many intervals.
    seed : int
        Of the virtual canaries that the canary is compared with, 0 to 2^53; fix it before the data come.
    instances_differ : float, optional
        The guard: nine of ten pairs of instances of one version differ by at most so much, a share (.5: 50 %) for a ratio
        margin, else in the gauge's unit. With it no less must be rejected than without it.
    zero : float
        For a ratio margin, values of 0 or less count as this, say 1/100 of the usual level; 0: they are no values.
    known : dict, optional
        What `instance_spread` gave, for the same `last`.
    interval : bool
        Find `lower` and `upper` of the evidence at every look.

    Notes
    -----
    A rotation test (Langsrud 2005) with an error that is spent over the looks. Proved for instances that are exchangeable
    and Gaussian, whatever their autocorrelation; measured for others. `evidence().log_e_value` is log(1/p), p valid at all
    looks: no e-value, two of them must not be multiplied. Where instances are of two kinds, fast and slow ones, give a
    margin and `instances_differ`.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import RotationTest
    >>> random = np.random.default_rng(1)
    >>> levels = 40 * np.exp(0.1 * random.normal(size=5))
    >>> test = RotationTest(margin={"ratio": 1.25}, last=30)
    >>> for _ in range(30):
    ...     values = levels * np.exp(0.2 * random.normal(size=5))
    ...     test.update(values[:4], 3 * values[4:])
    >>> test.decided
    True
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        alpha_safe: float | None = None,
        last: int = 120,
        since: int = 0,
        seed: int = 0,
        instances_differ: float | None = None,
        zero: float = 0.0,
        known: Mapping[str, Any] | None = None,
        interval: bool = True,
    ) -> None:
        super().__init__(
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, ratio=1.0),
            side=side,
            last=last,
            since=since,
            seed=seed,
            instances_differ=instances_differ,
            zero=zero,
            known=dict(known) if isinstance(known, Mapping) else known,
            interval=interval,
        )

    def update_many(self, values_b: ArrayLike, values_c: ArrayLike) -> None:
        """Takes many intervals, one a row with a column an instance; NaN where an instance has no value."""
        self._update_many(*rows(values_b, values_c))


def instance_spread(
    last: int,
    former: Sequence[ArrayLike] = (),
    *,
    history: ArrayLike | None = None,
    known: int = 1,
    ratio: bool = True,
    zero: float = 0.0,
) -> dict[str, Any]:
    """How instances of one version differ, from elsewhere than the rollout: what `RotationTest(known=...)` takes.

    Parameters
    ----------
    last : int
        That of the test.
    former : sequence of array_like
        Former releases: of each an array with a row an instance and a column an interval, from when they began. k
        instances add k - 1 contrasts.
    history : array_like, optional
        The instances before the rollout, those that are in it first, then those that were replaced.
    known : int
        How many rows of `history` are instances of the rollout; each further one adds a contrast.
    ratio : bool
        For a ratio margin: logs of the values are compared.
    zero : float
        That of the test.

    Returns
    -------
    dict
        looks, gram, degrees. An instance without any value before the first look is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import instance_spread
    >>> release = 40 * np.exp(0.1 * np.random.default_rng(1).normal(size=(3, 30)))
    >>> instance_spread(30, [release, release])["degrees"]
    4.0
    """
    groups = [_table(f"former[{i}]", given) for i, given in enumerate(former)]
    counted: list[int] = [1] * len(groups)
    if history is not None:
        groups.append(_table("history", history))
        counted.append(known)
    return _core.instance_spread(last, groups, counted, ratio, zero)


def _table(name: str, given: Any) -> NDArray[np.float64]:
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2:
        _core.fail("serinus.argument.type", f"{name} is no table of numbers; allowed: a row an instance, a column an interval")
    return np.ascontiguousarray(array)
