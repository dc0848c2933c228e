#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/student.hpp>

namespace {

using serinus::student_quantile;
using serinus::student_survival;

TEST(Student, ClosedForms) {
    // df 1: Cauchy; df 2: (1 - t/sqrt(2 + t^2))/2.
    for (const double t : {-30.0, -2.5, -0.1, 0.0, 1e-8, 0.3, 1.0, 4.0, 1e3, 1e8}) {
        const double cauchy = t > 1 ? std::atan(1 / t) / std::acos(-1.0) : 0.5 - std::atan(t) / std::acos(-1.0);
        EXPECT_NEAR(student_survival(t, 1), cauchy, 1e-13 * std::max(cauchy, 1e-300)) << t;
        const double root = std::sqrt(2 + t * t);
        const double two = t > 0 ? 1 / (root * (root + t)) : (1 - t / root) / 2;
        EXPECT_NEAR(student_survival(t, 2), two, 1e-13 * std::max(two, 1e-300)) << t;
    }
}

TEST(Student, TablesAndLimits) {
    // The usual table (Fisher and Yates).
    EXPECT_NEAR(student_quantile(0.025, 10), 2.2281388519862744, 1e-12);
    EXPECT_NEAR(student_quantile(0.05, 5), 2.0150483733330242, 1e-12);
    EXPECT_NEAR(student_quantile(0.005, 30), 2.7499956535670316, 1e-11);
    for (const double t : {-3.0, 0.5, 4.0})
        EXPECT_NEAR(student_survival(t, 1e9), serinus::normal_survival(t), 1e-6 * serinus::normal_survival(t));
    EXPECT_EQ(student_survival(std::numeric_limits<double>::infinity(), 3), 0);
    EXPECT_EQ(student_survival(-std::numeric_limits<double>::infinity(), 3), 1);
    EXPECT_TRUE(std::isnan(student_survival(std::nan(""), 3)));
    EXPECT_EQ(student_quantile(0.5, 7), 0);
}

TEST(Student, QuantileAndSurvivalAreInverse) {
    for (const double df : {0.7, 1.0, 2.5, 9.0, 41.0, 900.0}) {
        for (const double p : {1e-12, 1e-6, 0.001, 0.01, 0.1, 0.3, 0.499})
            EXPECT_NEAR(student_survival(student_quantile(p, df), df), p, 1e-10 * p) << df << ' ' << p;
    }
}

}  // namespace
