#include "report/chart.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include "report/number.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace chart {
namespace {

constexpr double width = 480, height = 130, left = 62, right = 12, top = 10, bottom = 22;
constexpr std::size_t most_points = 120;

/// A coordinate: a tenth of a unit is finer than any screen.
std::string at(double value) {
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, 1).ptr;
    std::string text(buffer, end);
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text == "-0" ? "0" : text;
}

std::string open(double high, std::string_view title) {
    return "<svg viewBox=\"0 0 " + at(width) + " " + at(high) + "\" role=\"img\" aria-label=\"" + std::string(title) +
           "\">";
}

std::string label(double x, double y, std::string_view anchor, const std::string& text) {
    return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + std::string(anchor) + "\">" + text +
           "</text>";
}

std::string line(std::string_view name, double x1, double y1, double x2, double y2) {
    return "<line class=\"" + std::string(name) + "\" x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) +
           "\" y2=\"" + at(y2) + "\"/>";
}

/// The finite points, neighbours put together where there are too many.
std::vector<Point> thinned(const std::vector<Point>& points) {
    std::vector<Point> kept;
    for (const Point& point : points) {
        if (std::isfinite(point.x) && std::isfinite(point.y)) kept.push_back(point);
    }
    if (kept.size() <= most_points) return kept;
    std::vector<Point> fewer;
    for (std::size_t i = 0; i < most_points; ++i) {
        const std::size_t from = i * kept.size() / most_points, to = (i + 1) * kept.size() / most_points;
        double sum = 0;
        for (std::size_t j = from; j < to; ++j) sum += kept[j].y / static_cast<double>(to - from);
        fewer.push_back({kept[to - 1].x, sum});
    }
    return fewer;
}

/// Both ends of what is drawn, never one and the same.
struct Range {
    double from = std::numeric_limits<double>::infinity(), to = -std::numeric_limits<double>::infinity();

    void add(double value) {
        from = std::min(from, value);
        to = std::max(to, value);
    }
    void widen() {
        if (to > from) return;
        const double more = std::max(std::abs(to) / 2, 1e-9);
        from -= from > 0 ? std::min(from, more) : from < 0 ? more : 0;
        to += more;
    }
};

}  // namespace

std::string lines(std::vector<Curve> curves, const std::vector<double>& marks, const std::vector<double>& cuts,
                  const std::function<std::string(double)>& unit, std::string_view title) {
    Range x, y;
    std::size_t most = 0;
    for (Curve& curve : curves) {
        curve.points = thinned(curve.points);
        most = std::max(most, curve.points.size());
        for (const Point& point : curve.points) {
            x.add(point.x);
            y.add(point.y);
        }
    }
    if (most < 2) return "";
    for (const double mark : marks) y.add(mark);
    x.widen();
    y.widen();
    const auto px = [&](double value) { return left + (value - x.from) / (x.to - x.from) * (width - left - right); };
    const auto py = [&](double value) {
        return height - bottom - (value - y.from) / (y.to - y.from) * (height - top - bottom);
    };
    std::string out = open(height, title);
    out += line("axis", left, height - bottom, width - right, height - bottom);
    out += label(left - 6, py(y.from), "end", unit(y.from)) + label(left - 6, py(y.to) + 8, "end", unit(y.to));
    out += label(left, height - 6, "start", number(x.from)) + label(width - right, height - 6, "end", number(x.to));
    for (const double cut : cuts) out += line("s", px(cut), top, px(cut), height - bottom);
    for (const double mark : marks) out += line("n", left, py(mark), width - right, py(mark));
    for (const Curve& curve : curves) {
        if (curve.points.size() < 2) continue;
        out += "<polyline class=\"" + std::string(curve.name) + "\" points=\"";
        for (std::size_t i = 0; i < curve.points.size(); ++i)
            out += (i == 0 ? "" : " ") + at(px(curve.points[i].x)) + "," + at(py(curve.points[i].y));
        out += "\"/>";
    }
    return out + "</svg>";
}

std::string interval(double lower, double estimate, double upper, const std::vector<double>& allowed,
                     std::string_view title) {
    constexpr double high = 56, middle = 26;
    const auto drawable = [](double value) { return value > 0 && std::isfinite(value); };
    Range range;
    range.add(1);
    for (const double bound : allowed) {
        if (drawable(bound)) range.add(bound);
    }
    // Four times beyond what is allowed is far beyond it: what goes on is drawn to the edge.
    const double least = range.from / 4, most = range.to * 4;
    if (drawable(lower)) range.add(std::max(lower, least));
    if (drawable(upper)) range.add(std::min(upper, most));
    const double from = drawable(lower) ? range.from / 1.2 : least, to = drawable(upper) ? range.to * 1.2 : most;
    const auto px = [&](double value) {
        if (!(value > from)) return left;
        if (!(value < to)) return width - right;
        return left + std::log(value / from) / std::log(to / from) * (width - left - right);
    };
    std::string out = open(high, title);
    out += line("axis", left, middle, width - right, middle) + line("s", px(1), 8, px(1), 40);
    out += label(px(1), 52, "middle", "1x");
    for (const double bound : allowed) {
        out += line("n", px(bound), 8, px(bound), 40);
        if (bound != 1) out += label(px(bound), 52, "middle", number(bound) + "x");
    }
    out += line("r", px(lower), middle, px(upper), middle);
    if (drawable(estimate))
        out += "<circle class=\"e\" cx=\"" + at(px(estimate)) + "\" cy=\"" + at(middle) + "\" r=\"5\"/>";
    return out + "</svg>";
}

}  // namespace chart
}  // namespace report
}  // namespace v0
}  // namespace serinus
