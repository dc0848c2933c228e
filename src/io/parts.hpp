#pragma once
/// \file
/// Pieces that several documents share; inside the library only.

#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Named numbers as an object.
nlohmann::ordered_json numbers_json(const std::vector<NamedNumber>& numbers);

/// Reasons with their sentences filled in.
nlohmann::ordered_json reasons_json(const std::vector<Reason>& reasons);

/// The noise of one metric, as a plan carries it.
nlohmann::ordered_json noise_json(const Noise& noise);

}  // namespace io
}  // namespace v0
}  // namespace serinus
