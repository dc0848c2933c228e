"""Written by tests/python/stubs.py; do not edit."""

from ._core import (
    Batch as Batch,
    RollingMannWhitney as RollingMannWhitney,
    version as version,
)
from ._decision import (
    BudgetShare as BudgetShare,
    BurnHalt as BurnHalt,
    BurnResult as BurnResult,
    BurnWindow as BurnWindow,
    Decision as Decision,
    Evidence as Evidence,
    HeldBack as HeldBack,
    Metric as Metric,
    MetricCalibration as MetricCalibration,
    MetricResult as MetricResult,
    Reason as Reason,
    SeriesSeen as SeriesSeen,
    SloRule as SloRule,
    Stage as Stage,
    Telemetry as Telemetry,
    Together as Together,
    Understood as Understood,
)
from ._errors import (
    Error as Error,
)
from ._fixed._counts import (
    ProportionTestResult as ProportionTestResult,
    RateTestResult as RateTestResult,
    proportion_test as proportion_test,
    rate_test as rate_test,
)
from ._fixed._distributions import (
    AndersonDarlingResult as AndersonDarlingResult,
    ArmQuantile as ArmQuantile,
    CramerVonMisesResult as CramerVonMisesResult,
    KolmogorovSmirnovResult as KolmogorovSmirnovResult,
    QuantileDifferenceResult as QuantileDifferenceResult,
    anderson_darling as anderson_darling,
    cramer_von_mises as cramer_von_mises,
    kolmogorov_smirnov as kolmogorov_smirnov,
    quantile_difference as quantile_difference,
)
from ._fixed._means import (
    MeanDifferenceResult as MeanDifferenceResult,
    welch as welch,
    yuen as yuen,
)
from ._fixed._ranks import (
    BrunnerMunzelResult as BrunnerMunzelResult,
    EffectSizeResult as EffectSizeResult,
    HodgesLehmannResult as HodgesLehmannResult,
    MannWhitneyBatch as MannWhitneyBatch,
    MannWhitneyResult as MannWhitneyResult,
    SignedRankResult as SignedRankResult,
    brunner_munzel as brunner_munzel,
    effect_size as effect_size,
    hodges_lehmann as hodges_lehmann,
    mann_whitney as mann_whitney,
    mann_whitney_batch as mann_whitney_batch,
    signed_rank as signed_rank,
)
from ._fixed._series import (
    BlockBootstrapResult as BlockBootstrapResult,
    EffectiveSampleSizeResult as EffectiveSampleSizeResult,
    Interval as Interval,
    LabelSwapLevel as LabelSwapLevel,
    LabelSwapResult as LabelSwapResult,
    PairedTestResult as PairedTestResult,
    RatioTestResult as RatioTestResult,
    RobustRankTestResult as RobustRankTestResult,
    block_bootstrap as block_bootstrap,
    effective_sample_size as effective_sample_size,
    label_swap_test as label_swap_test,
    paired_test as paired_test,
    ratio_test as ratio_test,
    robust_rank_test as robust_rank_test,
)
from ._fixed._several import (
    EquivalenceResult as EquivalenceResult,
    adjust as adjust,
    equivalence as equivalence,
)
from ._fixed._size import (
    SampleSize as SampleSize,
    power as power,
    sample_size as sample_size,
)
from ._rollout import (
    Calibration as Calibration,
    Monitor as Monitor,
    Plan as Plan,
    calibrate as calibrate,
    check as check,
    decide_together as decide_together,
    judge as judge,
    report as report,
)
from ._words import (
    Action as Action,
    Analysis as Analysis,
    Deadline as Deadline,
    Guarantee as Guarantee,
    Harm as Harm,
    Kind as Kind,
    MetricArm as MetricArm,
    Missing as Missing,
    OnFail as OnFail,
    PromoteWhen as PromoteWhen,
    Severity as Severity,
    Verdict as Verdict,
    Watch as Watch,
)
from . import sequential as sequential
from . import slo as slo

__version__: str
__all__: list[str]
