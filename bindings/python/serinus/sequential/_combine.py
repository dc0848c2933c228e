"""Several e-values, one answer: combine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import _core, _inputs

if TYPE_CHECKING:
    from typing import Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray


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
    *,
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
