"""One look: tests of two samples; a module a matter."""

from __future__ import annotations

from ._counts import (
    ProportionTestResult,
    RateTestResult,
    proportion_test,
    rate_test,
)
from ._distributions import (
    AndersonDarlingResult,
    ArmQuantile,
    CramerVonMisesResult,
    KolmogorovSmirnovResult,
    QuantileDifferenceResult,
    anderson_darling,
    cramer_von_mises,
    kolmogorov_smirnov,
    quantile_difference,
)
from ._means import (
    MeanResult,
    welch,
    yuen,
)
from ._ranks import (
    BrunnerMunzelResult,
    EffectSizeResult,
    HodgesLehmannResult,
    MannWhitneyBatch,
    SignedRankResult,
    brunner_munzel,
    effect_size,
    hodges_lehmann,
    mann_whitney,
    mann_whitney_batch,
    signed_rank,
)
from ._series import (
    BlockBootstrapResult,
    EffectiveSampleSizeResult,
    PairedTestResult,
    RatioTestResult,
    RobustRankResult,
    block_bootstrap,
    effective_sample_size,
    paired_test,
    ratio_test,
    robust_rank_test,
)
from ._several import (
    EquivalenceResult,
    adjust,
    equivalence,
)
from ._size import (
    SampleSize,
    power,
    sample_size,
)

__all__ = [
    "AndersonDarlingResult",
    "ArmQuantile",
    "BlockBootstrapResult",
    "BrunnerMunzelResult",
    "CramerVonMisesResult",
    "EffectSizeResult",
    "EffectiveSampleSizeResult",
    "EquivalenceResult",
    "HodgesLehmannResult",
    "KolmogorovSmirnovResult",
    "MannWhitneyBatch",
    "MeanResult",
    "PairedTestResult",
    "ProportionTestResult",
    "QuantileDifferenceResult",
    "RateTestResult",
    "RatioTestResult",
    "RobustRankResult",
    "SampleSize",
    "SignedRankResult",
    "adjust",
    "anderson_darling",
    "block_bootstrap",
    "brunner_munzel",
    "cramer_von_mises",
    "effect_size",
    "effective_sample_size",
    "equivalence",
    "hodges_lehmann",
    "kolmogorov_smirnov",
    "mann_whitney",
    "mann_whitney_batch",
    "paired_test",
    "power",
    "proportion_test",
    "quantile_difference",
    "rate_test",
    "ratio_test",
    "robust_rank_test",
    "sample_size",
    "signed_rank",
    "welch",
    "yuen",
]
