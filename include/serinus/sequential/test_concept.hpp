#pragma once
/// \file
/// What every test of many looks can do, for code that serves them all.

#include <concepts>

#include <serinus/core/evidence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// A test that may be looked at after every update: the chance that it is ever `decided()` while its null hypothesis is
/// true is at most its error rate. `update` takes what the test is about; it differs from test to test.
template <class Test>
concept SequentialTest = std::copyable<Test> && requires(Test& test, const Test& known) {
    { known.log_e_value() } -> std::same_as<double>;
    { known.log_needed() } -> std::same_as<double>;
    { known.decided() } -> std::same_as<bool>;
    { known.p_value() } -> std::same_as<double>;
    { known.evidence() } -> std::same_as<Evidence>;
    known.options();
    test.restore(known.state());
};

/// What most of them can do besides. Which cannot, and why, is said in tests/unit/sequential/test_concept_test.cpp.
template <class Test>
inline constexpr bool updates_many = requires { &Test::update_many; };
template <class Test>
inline constexpr bool merges = requires(Test& test, const Test& other) { test.merge(other); };
template <class Test>
inline constexpr bool has_side = requires(const Test& test) { test.options().side; };
template <class Test>
inline constexpr bool has_alpha_safe = requires(const Test& test) { test.options().alpha_safe; };
template <class Test>
inline constexpr bool has_interval = requires(const Test& test) { test.options().interval; };

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
