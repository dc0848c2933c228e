#pragma once
/// \file
/// From the bytes of a file to UTF-8; inside the library only.

#include <cstdint>
#include <string>
#include <string_view>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The text that bytes mean: as they are, without their byte order mark; or what they mean as UTF-16 (with a mark), or
/// as gzip, which `storage` then holds. Raises `serinus.data.size` for more than `max_bytes` before or after,
/// `serinus.data.document` for broken UTF-16 and gzip, and `serinus.data.format` for other compressed and binary formats, by
/// their name. Cost: linear.
std::string_view to_utf8(std::string_view bytes, std::string& storage, std::uint64_t max_bytes);

/// What a gzip file (RFC 1952, of one or more members) holds. Raises as `to_utf8`. Cost: linear in what it holds, never more than
/// `max_bytes` of it.
std::string gunzip(std::string_view bytes, std::uint64_t max_bytes);

}  // namespace io
}  // namespace v0
}  // namespace serinus
