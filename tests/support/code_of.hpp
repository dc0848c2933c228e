#pragma once
/// \file
/// The error that a call raises: its code, or what it says.

#include <string>

#include <serinus/core/error.hpp>

namespace serinus {

/// `Code::none` where nothing is raised.
Code code_of(const auto& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return Code::none;
}

/// Empty where nothing is raised.
std::string said_by(const auto& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace serinus
