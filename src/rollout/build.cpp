#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#if defined(__linux__)
#include <elf.h>
#include <link.h>
#endif

#include <serinus/core/version.hpp>
#include <serinus/rollout/audit.hpp>

namespace serinus {
inline namespace v0 {
namespace {

std::string compiler() {
#if defined(__clang__)
    return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
           std::to_string(__clang_patchlevel__);
#elif defined(__GNUC__)
    return "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
           std::to_string(__GNUC_PATCHLEVEL__);
#elif defined(_MSC_FULL_VER)
    return "msvc " + std::to_string(_MSC_FULL_VER);
#else
    return "";
#endif
}

std::string target() {
    std::string system;
#if defined(__linux__)
    system = "linux";
#elif defined(__APPLE__)
    system = "darwin";
#elif defined(_WIN32)
    system = "windows";
#endif
#if defined(__x86_64__) || defined(_M_X64)
    return system + " x86_64";
#elif defined(__aarch64__) || defined(_M_ARM64)
    return system + " aarch64";
#elif defined(__s390x__)
    return system + " s390x";
#else
    return system;
#endif
}

#if defined(__linux__)
struct Search {
    std::uintptr_t inside = 0;
    std::string id{};
};

/// Takes the build id of the object that `inside` lies in; not 0: it was this one.
int look(dl_phdr_info* object, std::size_t, void* given) {
    Search& search = *static_cast<Search*>(given);
    bool holds = false;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& header = object->dlpi_phdr[i];
        const std::uintptr_t begin = object->dlpi_addr + header.p_vaddr;
        holds = holds || (header.p_type == PT_LOAD && search.inside - begin < header.p_memsz);
    }
    if (!holds) return 0;
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& header = object->dlpi_phdr[i];
        if (header.p_type != PT_NOTE) continue;
        const char* const notes = reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr);
        const auto padded = [](std::size_t bytes) { return (bytes + 3) / 4 * 4; };
        std::size_t at = 0;
        while (at + 12 <= header.p_memsz) {
            std::array<std::uint32_t, 3> note{};  // lengths of name and content, type
            std::memcpy(note.data(), notes + at, sizeof note);
            const std::size_t content = at + 12 + padded(note[0]);
            if (content + note[1] > header.p_memsz) break;
            if (note[2] == 3 && note[0] == 4 && std::memcmp(notes + at + 12, "GNU", 4) == 0) {
                for (std::size_t byte = 0; byte < note[1]; ++byte) {
                    const auto value = static_cast<unsigned char>(notes[content + byte]);
                    search.id += "0123456789abcdef"[value >> 4];
                    search.id += "0123456789abcdef"[value & 15];
                }
                return 1;
            }
            at = content + padded(note[1]);
        }
    }
    return 1;
}
#endif

std::string build_id() {
#if defined(__linux__)
    Search search{reinterpret_cast<std::uintptr_t>(&this_build)};
    dl_iterate_phdr(look, &search);
    return search.id;
#else
    return "";
#endif
}

}  // namespace

Build this_build() { return {.version = version(), .compiler = compiler(), .target = target(), .id = build_id()}; }

}  // namespace v0
}  // namespace serinus
