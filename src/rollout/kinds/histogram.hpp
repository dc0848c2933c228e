#pragma once
/// \file
/// Observations in buckets: classic, native and exponential histograms; inside the library only.

#include "rollout/kinds/quantiles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class HistogramKind : public QuantilesKind {
  public:
    using QuantilesKind::QuantilesKind;
    static constexpr const KindFacts& facts = facts_of(Kind::histogram);
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
