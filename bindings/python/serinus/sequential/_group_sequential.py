"""Few looks, planned beforehand: group_sequential."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import _core, _inputs

if TYPE_CHECKING:
    from typing import Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class GroupSequential(NamedTuple):
    """A design: stop at look k when Z is at least bounds[k] (two-sided: |Z|)."""

    bounds: NDArray[np.float64]
    cumulative_alpha: NDArray[np.float64]


class CrossingProbabilities(NamedTuple):
    """The probability of the first stop at each look, above and (two-sided) below."""

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]


def group_sequential(
    information: ArrayLike,
    alpha: float,
    spending: Literal["obf", "pocock", "kim_demets", "hwang_shih_decani"],
    *,
    parameter: float | None = None,
    sided: Literal[1, 2] = 1,
) -> GroupSequential:
    """Bounds for a test that is looked at a few planned times; all in all it errs with probability alpha.

    Parameters
    ----------
    information : array_like
        Shares of the planned information at the looks, increasing, below 1 before the last. A last one above 1 is an
        over-run: that look spends all that is left.
    alpha : float
        In (0, 1); two-sided the sum of both sides.
    spending : {"obf", "pocock", "kim_demets", "hwang_shih_decani"}
        How much of alpha a share t may spend. "obf" next to never stops early: at 1 % of the information not before
        Z = 19.6.
    parameter : float, optional
        Of "kim_demets" (above 0) and "hwang_shih_decani" (any); default 1.
    sided : {1, 2}
        Stop at Z >= bound, or at |Z| >= bound.

    Returns
    -------
    GroupSequential
        `bounds` of Z (infinite where a look has nothing to spend) and `cumulative_alpha`.

    Examples
    --------
    >>> from serinus.sequential import group_sequential
    >>> group_sequential([0.01, 0.1, 0.5, 1.0], 0.05, "pocock").bounds.round(4).tolist()
    [3.1375, 2.4501, 1.9663, 1.9043]
    """
    found = _core.group_sequential(_inputs.values("information", information), alpha, spending, parameter, sided)
    return GroupSequential(*found)


def crossing_probabilities(
    information: ArrayLike, bounds: ArrayLike, drift: float, *, sided: Literal[1, 2] = 1
) -> CrossingProbabilities:
    """How likely a design stops at each look when Z drifts; their sum is its power.

    Parameters
    ----------
    information : array_like
        As for `group_sequential`; of any size.
    bounds : array_like
        One a look; infinity: no stop at it.
    drift : float
        Mean of Z at information 1.
    sided : {1, 2}

    Returns
    -------
    CrossingProbabilities
        `upper` and `lower`, one a look.

    Examples
    --------
    >>> from serinus.sequential import crossing_probabilities, group_sequential
    >>> stages = [0.01, 0.1, 0.5, 1.0]
    >>> design = group_sequential(stages, 0.05, "pocock")
    >>> round(float(crossing_probabilities(stages, design.bounds, 3).upper.sum()), 4)
    0.8789
    """
    found = _core.crossing_probabilities(
        _inputs.values("information", information), _inputs.values("bounds", bounds), drift, sided
    )
    return CrossingProbabilities(*found)
