"""Many looks: tests that may be looked at after every observation, as often as you like.

The chance that a test *ever* reaches an e-value of 1/alpha while its null hypothesis is true is at most alpha.
"""

from ._combine import Combined, combine
from ._distribution_band import DistributionBand, StochasticOrder
from ._mean import MeanTest
from ._paired import PairedTest, paired_noise
from ._proportion import ProportionTest
from ._quantile import QuantileTest, quantile_ab_log_e_value
from ._signed_rank import SignedRankTest
from ._start_mixture import StartMixture, start_weight

__all__ = [
    "Combined",
    "DistributionBand",
    "MeanTest",
    "PairedTest",
    "ProportionTest",
    "QuantileTest",
    "SignedRankTest",
    "StartMixture",
    "StochasticOrder",
    "combine",
    "paired_noise",
    "quantile_ab_log_e_value",
    "start_weight",
]

# People meet these types here, and pickles should find them here too.
for _type in (
    Combined,
    DistributionBand,
    MeanTest,
    PairedTest,
    ProportionTest,
    QuantileTest,
    SignedRankTest,
    StartMixture,
    StochasticOrder,
):
    _type.__module__ = "serinus.sequential"
del _type
