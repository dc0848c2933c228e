#pragma once
/// \file
/// States that were written once and must load for ever: data/reference/states.

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/data_dir.hpp"

namespace state_fixture {

struct Fixture {
    std::vector<std::byte> bytes;
    nlohmann::json expected;  // what the restored object says
};

inline Fixture read(const std::string& name) {
    std::ifstream file(data_dir() + "/reference/states/" + name + ".json");
    const nlohmann::json document = nlohmann::json::parse(file);
    Fixture fixture;
    const auto hex = document["state"].get<std::string>();
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        fixture.bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    fixture.expected = document["expected"];
    return fixture;
}

}  // namespace state_fixture
