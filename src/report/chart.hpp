#pragma once
/// \file
/// Line drawings as SVG, coloured by the classes of the page that they stand in; inside the library only.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace serinus {
inline namespace v0 {
namespace report {
namespace chart {

struct Point {
    double x = 0, y = 0;
};

struct Curve {
    std::string_view name;  ///< the class that colours it
    std::vector<Point> points;
};

/// Curves over one axis of minutes, with lines across at `marks` and down at `cuts`. What is not finite is left out; of
/// more than 120 points of a curve neighbours are drawn as their mean. `unit` writes a value at the axis. `title` is read to who does
/// not see it. Empty where no curve has two points.
std::string lines(std::vector<Curve> curves, const std::vector<double>& marks, const std::vector<double>& cuts,
                  const std::function<std::string(double)>& unit, std::string_view title);

/// A ratio's estimate as a dot on its range, on a logarithmic axis, beside 1 and the ratios that are allowed at most.
std::string interval(double lower, double estimate, double upper, const std::vector<double>& allowed,
                     std::string_view title);

}  // namespace chart
}  // namespace report
}  // namespace v0
}  // namespace serinus
