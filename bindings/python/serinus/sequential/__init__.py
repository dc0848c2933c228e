"""Many looks: tests that may be looked at after every observation, as often as you like.

The chance that a test *ever* reaches an e-value of 1/alpha while its null hypothesis is true is at most alpha.
Where a test has `alpha_safe`, that stands for alpha with `side="safe"`.
"""

from . import _boundaries as boundaries
from ._boundaries import (
    BernoulliInterval,
    bernoulli_confidence_interval,
    beta_binomial,
    double_stitching_bound,
    empirical_process_lil_bound,
    gamma_exponential,
    gamma_poisson,
    log_beta_binomial,
    log_gamma_exponential,
    log_gamma_poisson,
    log_normal_mixture,
    normal_mixture,
    poly_stitching,
)
from ._change import ChangeDetector
from ._combine import Combined, combine
from ._counts import count_dispersion, share_dispersion
from ._distribution_band import DistributionBand, StochasticOrder
from ._group_sequential import CrossingProbabilities, GroupSequential, crossing_probabilities, group_sequential
from ._mean import MeanTest
from ._paired import PairedTest, paired_noise
from ._proportion import ProportionTest
from ._quantile import QuantileTest, quantile_ab_log_e_value
from ._rate import RateTest
from ._rotation import RotationTest, instance_spread
from ._sample_ratio import SampleRatioTest
from ._signed_rank import SignedRankTest
from ._silence import SilenceTest
from ._start_mixture import StartMixture, start_weight
from ._threshold import ThresholdTest

__all__ = [
    "BernoulliInterval",
    "ChangeDetector",
    "Combined",
    "CrossingProbabilities",
    "DistributionBand",
    "GroupSequential",
    "MeanTest",
    "PairedTest",
    "ProportionTest",
    "QuantileTest",
    "RateTest",
    "RotationTest",
    "SampleRatioTest",
    "SignedRankTest",
    "SilenceTest",
    "StartMixture",
    "StochasticOrder",
    "ThresholdTest",
    "bernoulli_confidence_interval",
    "beta_binomial",
    "boundaries",
    "combine",
    "count_dispersion",
    "crossing_probabilities",
    "double_stitching_bound",
    "empirical_process_lil_bound",
    "gamma_exponential",
    "gamma_poisson",
    "group_sequential",
    "instance_spread",
    "log_beta_binomial",
    "log_gamma_exponential",
    "log_gamma_poisson",
    "log_normal_mixture",
    "normal_mixture",
    "paired_noise",
    "poly_stitching",
    "quantile_ab_log_e_value",
    "share_dispersion",
    "start_weight",
]

# People meet these types here, and pickles should find them here too.
for _type in (
    BernoulliInterval,
    ChangeDetector,
    Combined,
    CrossingProbabilities,
    DistributionBand,
    GroupSequential,
    MeanTest,
    PairedTest,
    ProportionTest,
    QuantileTest,
    RateTest,
    RotationTest,
    SampleRatioTest,
    SignedRankTest,
    SilenceTest,
    StartMixture,
    ThresholdTest,
):
    _type.__module__ = "serinus.sequential"
del _type
