#pragma once
/// \file
/// States that were written once and must load for ever: data/reference/states.

#include <cstddef>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/data_dir.hpp"

namespace state_fixture {

/// A file as it is.
inline std::string text_of(const std::string& file) {
    std::ifstream in(data_dir() + "/reference/states/" + file, std::ios::binary);
    if (!in.good()) throw std::runtime_error("data/reference/states/" + file + " cannot be read");
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}
inline std::vector<std::byte> bytes_of(const std::string& file) {
    const std::string text = text_of(file);
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}
inline nlohmann::json json_of(const std::string& file) { return nlohmann::json::parse(text_of(file)); }

/// Of a JSON file with a state as hexadecimal digits.
struct Fixture {
    std::vector<std::byte> bytes;
    nlohmann::json expected;  // what the restored object says
};

inline Fixture read(const std::string& name) {
    const nlohmann::json document = json_of(name + ".json");
    Fixture fixture;
    const auto hex = document["state"].get<std::string>();
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        fixture.bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    fixture.expected = document["expected"];
    return fixture;
}

}  // namespace state_fixture
