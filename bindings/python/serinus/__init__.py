"""Serinus decides, from metric time series, whether a canary is safe: promote, hold or rollback.

>>> import serinus
>>> serinus.mann_whitney([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]).effect
1.0

`judge(plan, data)` does the whole job at once, `Monitor(plan)` as the data come; `calibrate(plan, history)` learns before
how two arms of one version differ; `mann_whitney` and its kin (`brunner_munzel`,
`proportion_test`, `rate_test`, `quantile_difference`, ...) compare two samples in one look; `serinus.sequential` holds the tests that may be looked at as often as you like. Baseline first, canary second.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ._core import version
from ._errors import Error

__version__ = version()

# Every public name and where it is, loaded when it is asked for: `import serinus` is part of every start of a command or
# a notebook, and nobody uses all of it. A module without names is public itself. __init__.pyi, for type checkers, is
# written from this by tests/structure/check_stubs.py.
_HOMES: dict[str, tuple[str, ...]] = {
    "_core": ("Batch", "RollingMannWhitney", "version"),
    "_decision": (
        "BudgetShare",
        "BurnHalt",
        "BurnResult",
        "BurnWindow",
        "Decision",
        "Evidence",
        "HeldBack",
        "Metric",
        "MetricCalibration",
        "MetricResult",
        "Reason",
        "SeriesSeen",
        "SloRule",
        "Stage",
        "Telemetry",
        "Together",
        "Understood",
    ),
    "_errors": ("Error",),
    "_fixed._counts": ("ProportionTestResult", "RateTestResult", "proportion_test", "rate_test"),
    "_fixed._distributions": (
        "AndersonDarlingResult",
        "ArmQuantile",
        "CramerVonMisesResult",
        "KolmogorovSmirnovResult",
        "QuantileDifferenceResult",
        "anderson_darling",
        "cramer_von_mises",
        "kolmogorov_smirnov",
        "quantile_difference",
    ),
    "_fixed._means": ("MeanDifferenceResult", "welch", "yuen"),
    "_fixed._ranks": (
        "BrunnerMunzelResult",
        "EffectSizeResult",
        "HodgesLehmannResult",
        "MannWhitneyBatch",
        "MannWhitneyResult",
        "SignedRankResult",
        "brunner_munzel",
        "effect_size",
        "hodges_lehmann",
        "mann_whitney",
        "mann_whitney_batch",
        "signed_rank",
    ),
    "_fixed._series": (
        "BlockBootstrapResult",
        "EffectiveSampleSizeResult",
        "Interval",
        "LabelSwapLevel",
        "LabelSwapResult",
        "PairedTestResult",
        "RatioTestResult",
        "RobustRankTestResult",
        "block_bootstrap",
        "effective_sample_size",
        "label_swap_test",
        "paired_test",
        "ratio_test",
        "robust_rank_test",
    ),
    "_fixed._several": ("EquivalenceResult", "adjust", "equivalence"),
    "_fixed._size": ("SampleSize", "power", "sample_size"),
    "_rollout": (
        "Calibration",
        "Monitor",
        "Plan",
        "calibrate",
        "check",
        "decide_together",
        "judge",
        "report",
    ),
    "_words": (
        "Action",
        "Analysis",
        "Deadline",
        "Guarantee",
        "Harm",
        "Kind",
        "MetricArm",
        "Missing",
        "OnFail",
        "PromoteWhen",
        "Severity",
        "Verdict",
        "Watch",
    ),
    "sequential": (),
    "slo": (),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME, *(home for home, names in _HOMES.items() if not names)])


def __getattr__(name: str) -> Any:
    if _HOMES.get(name) == ():
        return import_module(f".{name}", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
