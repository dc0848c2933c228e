"""How much data does one look need?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from typing import Any, Literal

    from ._result import Alternative


class SampleSize(_core.SampleSize):
    """Values an arm, not rounded; take the next whole numbers. Infinite: there is nothing to find."""


def _design(
    kind: str,
    effect: float | None,
    difference: float | None,
    deviation: float | None,
    baseline: float | None,
    canary: float | None,
) -> tuple[str, dict[str, Any]]:
    needed = {
        "rank": {"effect": effect},
        "mean": {"difference": difference, "deviation": deviation},
        "proportion": {"baseline": baseline, "canary": canary},
        "rate": {"baseline": baseline, "canary": canary},
    }
    if kind not in needed:
        _core.fail("serinus.argument.word", f'kind is "{kind}"; allowed: {", ".join(needed)}')
    given = {
        "effect": effect,
        "difference": difference,
        "deviation": deviation,
        "baseline": baseline,
        "canary": canary,
    }
    for name, value in given.items():
        if (value is None) == (name in needed[kind]):
            _core.fail(
                "serinus.argument.range",
                f'{name} is {value} with the kind "{kind}"; allowed: {" and ".join(needed[kind])}, and no other',
            )
    return kind, needed[kind]


def power(
    kind: Literal["rank", "mean", "proportion", "rate"],
    n_baseline: float,
    n_canary: float,
    *,
    effect: float | None = None,
    difference: float | None = None,
    deviation: float | None = None,
    baseline: float | None = None,
    canary: float | None = None,
    alpha: float = 0.05,
    independent: float = 1.0,
    alternative: Alternative = "two-sided",
) -> float:
    """The probability that one look of so many values rejects at alpha.

    Parameters
    ----------
    kind : {"rank", "mean", "proportion", "rate"}
        The test: `mann_whitney` (give `effect`, P(canary > baseline)), Student's t with pooled variances (`difference`
        and `deviation`), `proportion_test` (`baseline` and `canary`, the true shares), `rate_test` with method "score"
        (`baseline` and `canary`, the true rates; n is then the exposure).
    n_baseline, n_canary : float
    alpha : float
        Of the test.
    independent : float
        n_effective/n of the series, in (0, 1].
    alternative : {"two-sided", "greater", "less"}

    Notes
    -----
    "mean" is exact for the pooled t test of normal values; `welch` has .03 less at 200:20 values, .09 less at 1000:10
    (alpha .05), and the same at 20:20 and above. "rate" is within .016 of simulation where both arms expect 8 events or
    more; the default of `rate_test`, exact, has up to .11 less there (alpha .05), and .04 less from 40 events on.

    Examples
    --------
    >>> import serinus
    >>> round(serinus.power("proportion", 9000, 1000, baseline=0.01, canary=0.02), 2)
    0.76
    """
    return _core.power(
        *_design(kind, effect, difference, deviation, baseline, canary),
        n_baseline,
        n_canary,
        alpha=alpha,
        independent=independent,
        alternative=alternative,
    )


def sample_size(
    kind: Literal["rank", "mean", "proportion", "rate"],
    *,
    power: float = 0.8,
    ratio: float = 1.0,
    effect: float | None = None,
    difference: float | None = None,
    deviation: float | None = None,
    baseline: float | None = None,
    canary: float | None = None,
    alpha: float = 0.05,
    independent: float = 1.0,
    alternative: Alternative = "two-sided",
) -> SampleSize:
    """The values that give one look a power, with `ratio` canary values for each of the baseline's.

    The arguments are those of `power`.

    Examples
    --------
    >>> import serinus
    >>> round(serinus.sample_size("mean", power=0.9, difference=5, deviation=20).n_canary, 1)
    337.2
    """
    return _core.sample_size(
        *_design(kind, effect, difference, deviation, baseline, canary),
        power,
        ratio,
        alpha=alpha,
        independent=independent,
        alternative=alternative,
    )
