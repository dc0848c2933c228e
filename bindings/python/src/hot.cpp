/// \file
/// What takes long when it is computed. The wheel is compiled for size (-Oz) but for this source, which is compiled for
/// speed and linked first: these are the inline functions that the other sources call, and of several copies the linker
/// keeps the first. Nothing here runs; a function that is not named is only slower. Those are named that take more than
/// 1.5 times as long for size; the rest loses less than 40 %, most of it less than 15 %.

#include <span>
#include <tuple>

#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/numeric/workspace.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/rotation.hpp>

namespace serinus {
namespace {

template <class Result, class Options>
using OfArms = Result (*)(std::span<const double>, std::span<const double>, const Options&, Workspace&);

[[gnu::used]] const std::tuple hot{
    OfArms<HodgesLehmannResult, HodgesLehmannOptions>(&hodges_lehmann),
    OfArms<KolmogorovSmirnovResult, KolmogorovSmirnovOptions>(&kolmogorov_smirnov),
    &sequential::ProportionTest::update,
    &sequential::RateTest::update,
    &sequential::RotationTest::update,
};

}  // namespace
}  // namespace serinus
