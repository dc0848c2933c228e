#pragma once
/// \file
/// Sample documents, and what the tests of readers ask of them.

#include <cstddef>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/rollout/batch.hpp>

#include "support/data_dir.hpp"

namespace support {

inline std::string read_sample(const std::string& name) {
    std::ifstream file(data_dir() + "/samples/" + name, std::ios::binary);
    if (!file) throw std::runtime_error("no sample " + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A reader refuses a text with that code, in a sentence shorter than `longest` that says all of these words.
void expect_refused(const auto& read, const std::string& text, serinus::Code code, const std::vector<std::string>& said,
                    std::size_t longest = 800) {
    try {
        read(text);
    } catch (const serinus::Error& error) {
        const std::string sentence = error.what();
        EXPECT_EQ(error.code(), code) << sentence;
        EXPECT_LT(sentence.size(), longest) << sentence;
        for (const std::string& words : said)
            EXPECT_NE(sentence.find(words), std::string::npos) << sentence << "\nlacks " << words;
        return;
    }
    ADD_FAILURE() << "nothing was raised for " << text.substr(0, 100);
}

/// The sentences of what was left aside.
inline std::vector<std::string> sentences(const serinus::Batch& batch) {
    std::vector<std::string> all;
    for (const serinus::Reason& note : batch.notes) all.push_back(sentence(note));
    return all;
}

/// The one series of that name, arm and bucket whose labels and instance hold a text.
inline const serinus::ArmSeries& find_series(const serinus::Batch& batch, std::string_view name, serinus::Arm arm,
                                             std::string_view holds = {}, double le = -1) {
    const serinus::ArmSeries* found = nullptr;
    for (const serinus::ArmSeries& one : batch.series) {
        if (one.name != name || one.arm != arm || (le >= 0 && one.le != le)) continue;
        if ((one.series.instance + one.labels).find(holds) == std::string::npos) continue;
        if (found != nullptr) throw std::runtime_error("several series " + std::string(name));
        found = &one;
    }
    if (found == nullptr) throw std::runtime_error("no series " + std::string(name));
    return *found;
}

}  // namespace support
