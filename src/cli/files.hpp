#pragma once
/// \file
/// The program's doors to the outside: files in, text out, errors as one line.

#include <string>
#include <string_view>
#include <vector>

namespace serinus {
inline namespace v0 {
namespace cli {

enum class Format { text, json };
/// Of what has a row for each of many things.
enum class TableFormat { text, json, csv };
/// Of a decision: the forms of report/document.hpp, and JSON.
enum class ReportFormat { text, json, markdown, html, github, junit, openmetrics, cdevents };
/// Of indicators.
enum class DashboardFormat { text, json, html };
enum class Color { automatic, always, never };

/// What the program returns to its caller; part of its interface. `mend`: the input can be read, and should be mended.
enum class Exit : int { promote = 0, rollback = 1, error = 2, mend = 2, hold = 3, no_data = 4 };

/// The bytes of a file; "-" is standard input. Raises `serinus.file.read`, naming the file and the system's reason, for
/// what cannot be read, and `serinus.data.size` above 1 GiB.
std::string read_file(const std::string& path);

/// The regular files of a folder by name, or the path itself where it is none. Raises `serinus.file.read` for a folder
/// that cannot be read, or that has no file.
std::vector<std::string> files_in(const std::string& path);

/// What a file is called in a message: its path, or "standard input".
std::string shown_file(const std::string& path);

/// Writes to standard output. A reader that has gone away (`serinus ... | head -1`) is no error; anything else raises
/// `serinus.file.write`.
void write_output(std::string_view text);

/// Adds to the end of a file, which need not be there yet. Raises `serinus.file.write`, naming the file and the system's
/// reason.
void append_to_file(const std::string& path, std::string_view text);

/// Writes a file whole: first beside it, then in its place, so that no reader ever sees a half. Raises
/// `serinus.file.write`, naming the file and the system's reason.
void write_file(const std::string& path, std::string_view text);

/// One line on standard error: "serinus: <message>".
void write_error(std::string_view message);

/// Whether to color standard output.
bool colored(Color color);

/// Whether standard output is a terminal that shows colors: not when NO_COLOR is set (no-color.org) or TERM is "dumb".
bool output_has_color();

/// The columns of the terminal that standard output is, or 100.
int output_width();

}  // namespace cli
}  // namespace v0
}  // namespace serinus
