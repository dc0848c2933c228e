#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

#include "cli/files.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 30;

std::string system_reason(int error) { return std::generic_category().message(error); }

}  // namespace

std::string shown_file(const std::string& path) { return path == "-" ? "standard input" : printable(path, 200); }

std::string read_file(const std::string& path) {
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> opened;
    std::FILE* file = stdin;
    if (path != "-") {
        opened.reset(std::fopen(path.c_str(), "rb"));
        if (!opened) raise(Code::file_read, system_reason(errno));
        file = opened.get();
    }
    std::string bytes;
    std::array<char, 65536> part;
    errno = 0;
    while (const std::size_t got = std::fread(part.data(), 1, part.size(), file)) {
        bytes.append(part.data(), got);
        if (bytes.size() > most_bytes) raise(Code::data_size, "more than 1 GiB; allowed: at most that");
    }
    if (std::ferror(file)) raise(Code::file_read, system_reason(errno));
    return bytes;
}

std::vector<std::string> files_in(const std::string& path) {
    std::error_code problem;
    if (!std::filesystem::is_directory(path, problem)) return {path};
    std::vector<std::string> files;
    for (std::filesystem::directory_iterator at(path, problem), end; !problem && at != end; at.increment(problem)) {
        if (at->is_regular_file()) files.push_back(at->path().string());
    }
    if (problem) raise(Code::file_read, shown_file(path) + ": " + problem.message());
    if (files.empty()) raise(Code::file_read, shown_file(path) + ": a folder without files");
    std::sort(files.begin(), files.end());
    return files;
}

void write_output(std::string_view text) {
#if defined(SIGPIPE)
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of the write, not the end of the program
#endif
    errno = 0;
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (!written && errno != EPIPE) raise(Code::file_write, "standard output: " + system_reason(errno));
}

void append_to_file(const std::string& path, std::string_view text) {
    errno = 0;
    std::FILE* const file = std::fopen(path.c_str(), "ab");
    const bool written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    int error = errno;
    if (file && std::fclose(file) != 0) error = errno;
    if (!written || error != 0) raise(Code::file_write, shown_file(path) + ": " + system_reason(error));
}

void write_file(const std::string& path, std::string_view text) {
    const std::string beside = path + ".part";
    const auto failed = [&](int error) {
        std::remove(beside.c_str());
        raise(Code::file_write, shown_file(path) + ": " + system_reason(error));
    };
    errno = 0;
    std::FILE* const file = std::fopen(beside.c_str(), "wb");
    if (!file) failed(errno);
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    const int error = errno;
    const bool closed = std::fclose(file) == 0;
    if (!written || !closed) failed(written ? errno : error);
    std::error_code problem;
    std::filesystem::rename(beside, path, problem);
    if (problem) failed(problem.value());
}

void write_error(std::string_view message) {
    const std::string line = "serinus: " + printable(message, 2000) + "\n";
    std::fwrite(line.data(), 1, line.size(), stderr);
}

bool colored(Color color) { return color == Color::always || (color == Color::automatic && output_has_color()); }

bool output_has_color() {
#if defined(__unix__) || defined(__APPLE__)
    const char* const no_color = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");
    return isatty(STDOUT_FILENO) != 0 && !(no_color && *no_color != '\0') && terminal && *terminal != '\0' &&
           std::string_view(terminal) != "dumb";
#else
    return false;
#endif
}

int output_width() {
#if defined(__unix__) || defined(__APPLE__)
    winsize size{};
    if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return std::min<int>(size.ws_col, 120);
#endif
    return 100;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
