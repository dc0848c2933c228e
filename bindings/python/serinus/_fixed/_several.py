"""What intervals and p-values of several metrics say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class EquivalenceResult(_core.EquivalenceResult):
    """What an interval says of a margin; `verdict` "pass": harm beyond it is ruled out, "fail": proven."""


def equivalence(
    lower: float,
    upper: float,
    margin: Mapping[str, float],
    *,
    harm: Literal["increase", "decrease", "either"] = "increase",
) -> EquivalenceResult:
    """Does an interval rule out harm beyond a margin, or prove it?

    Parameters
    ----------
    lower, upper : float
        Of canary/baseline for {"ratio": r}, of canary - baseline for {"difference": d}; infinite ends are legal.
    margin : dict
    harm : {"increase", "decrease", "either"}
        The direction that is worse.

    Examples
    --------
    >>> import serinus
    >>> serinus.equivalence(0.97, 1.06, {"ratio": 1.1}).verdict
    <Verdict.PASS: 'pass'>
    """
    return _core.equivalence(lower, upper, dict(margin), harm)


def adjust(
    p_values: ArrayLike | Any,
    *,
    method: Literal["holm", "hochberg", "bonferroni", "bh", "by"] = "holm",
    weights: ArrayLike | Any | None = None,
) -> NDArray[np.float64]:
    """P-values adjusted for their number, in the order given.

    Parameters
    ----------
    p_values : array_like
        In [0, 1]; NaN stays NaN and is not counted.
    method : {"holm", "hochberg", "bonferroni", "bh", "by"}
        "holm" and "bonferroni" keep the chance of any false find whatever the dependence; "bh" and "by" the expected
        share of false finds.
    weights : array_like, optional
        One a p-value, above 0; scaled to mean 1.

    Examples
    --------
    >>> import serinus
    >>> serinus.adjust([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    return _core.adjust(p_values, method, weights)
