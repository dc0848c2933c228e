#pragma once
/// \file
/// Single observations, many an interval; inside the library only.

#include "rollout/kinds/quantiles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class SampleKind : public QuantilesKind {
  public:
    using QuantilesKind::QuantilesKind;
    static constexpr const KindFacts& facts = facts_of(Kind::sample);
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
