#pragma once
/// \file
/// The code of the error that a call raises.

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

}  // namespace serinus
