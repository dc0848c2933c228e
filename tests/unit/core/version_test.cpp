#include <string>

#include <gtest/gtest.h>

#include <serinus/core/version.hpp>

namespace {

TEST(Version, IsWrittenOnce) {
    EXPECT_EQ(serinus::version(), std::to_string(SERINUS_VERSION_MAJOR) + "." + std::to_string(SERINUS_VERSION_MINOR) +
                                      "." + std::to_string(SERINUS_VERSION_PATCH));
}

}  // namespace
