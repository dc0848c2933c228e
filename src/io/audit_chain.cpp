#include "audit_chain.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>

#include <serinus/core/digest.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {
namespace io {
namespace {

constexpr std::string_view beginning = "{\"n\":";
constexpr std::size_t digits = 64;
constexpr std::size_t least_key = 16;

auto bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

bool take(std::string_view& rest, std::string_view text) {
    if (!rest.starts_with(text)) return false;
    rest.remove_prefix(text.size());
    return true;
}

bool take_hash(std::string_view& rest, std::string_view& hash) {
    hash = rest.substr(0, digits);
    if (hash.size() < digits || hash.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
    rest.remove_prefix(digits);
    return true;
}

/// A piece of the text between two ends of lines, taken apart as far as it can be.
struct Piece {
    std::string_view text;
    bool ended = false;
    bool keyed = false;  ///< it ends as a line that a key sealed
    bool plain = false;  ///< it ends as a line with a hash
    bool whole = false;  ///< and is what was written
    ChainLine found;
};

Piece piece_of(std::string_view text, bool ended, std::int64_t line, std::string_view key) {
    Piece piece{.text = text, .ended = ended, .found = {.line = line, .text = text, .before = {}, .hash = {}}};
    constexpr std::string_view hash = ",\"hash\":\"", hmac = ",\"hmac\":\"";  // of one length
    const std::size_t end = hash.size() + digits + 2;
    if (text.size() < end || !text.ends_with("\"}")) return piece;
    const std::string_view content = text.substr(0, text.size() - end);
    std::string_view seal = text.substr(content.size());
    piece.plain = seal.starts_with(hash);
    piece.keyed = seal.starts_with(hmac);
    seal.remove_prefix(hash.size());
    if (!(piece.plain || piece.keyed) || !take_hash(seal, piece.found.hash)) return piece;
    std::string_view rest = content;
    if (!take(rest, beginning)) return piece;
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), piece.found.number);
    if (read.ec != std::errc{}) return piece;
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    if (!take(rest, ",\"before\":\"") || !take_hash(rest, piece.found.before)) return piece;
    piece.whole = piece.keyed == !key.empty() && seal_of(content, key) == piece.found.hash;
    return piece;
}

std::vector<Piece> pieces_of(std::string_view text, std::string_view key) {
    std::vector<Piece> pieces;
    std::int64_t line = 1;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const bool ended = end != std::string_view::npos;
        pieces.push_back(piece_of(text.substr(0, end), ended, line++, key));
        text.remove_prefix(ended ? end + 1 : text.size());
    }
    return pieces;
}

void refuse_key(const std::vector<Piece>& pieces, std::string_view key) {
    const auto any = [&](auto has) { return std::any_of(pieces.begin(), pieces.end(), has); };
    const bool keyed = any([](const Piece& piece) { return piece.keyed; });
    if (key.empty() && keyed)
        raise(Code::audit_key,
              "the log is sealed with a key, and none is given; allowed: the key that it was written with");
    if (key.empty()) return;
    if (!keyed && any([](const Piece& piece) { return piece.plain; }))
        raise(Code::audit_key, "a key is given, and the log is not sealed with any; allowed: none, or a new log");
    if (keyed && !any([](const Piece& piece) { return piece.whole; }))
        raise(Code::audit_key,
              "not one line is sealed with the key given; allowed: the key that the log was written with");
}

/// Whether what was found is the beginning of a first line, of which nothing came after.
bool begins_as_log(std::string_view text) {
    text = text.substr(0, text.find('\n'));
    while (text.ends_with(' ')) text.remove_suffix(1);
    const std::string first = std::string(beginning) + "1,\"before\":\"" + no_hash;
    const std::size_t shared = std::min(first.size(), text.size());
    return text.substr(0, shared) == std::string_view(first).substr(0, shared);
}

std::string line_text(std::int64_t line) { return "line " + std::to_string(line); }

}  // namespace

void check_key(std::string_view key) {
    if (!key.empty() && key.size() < least_key)
        raise(Code::argument_range, "the key has " + std::to_string(key.size()) + " bytes; allowed: " +
                                        std::to_string(least_key) + " or more (32 random ones are best)");
}

std::string seal_of(std::string_view content, std::string_view key) {
    return key.empty() ? sha256(bytes_of(content)) : hmac_sha256(bytes_of(key), bytes_of(content));
}

std::string seal_text(std::string_view content, std::string_view key) {
    return (key.empty() ? ",\"hash\":\"" : ",\"hmac\":\"") + seal_of(content, key) + "\"}";
}

std::string torn_text(std::string_view torn) {
    return ",\"torn\":{\"bytes\":" + std::to_string(torn.size()) + ",\"sha256\":\"" + sha256(bytes_of(torn)) + "\"}";
}

Chain chain_of(std::string_view text, std::string_view key) {
    check_key(key);
    const std::vector<Piece> pieces = pieces_of(text, key);
    refuse_key(pieces, key);
    Chain chain;
    chain.sealed = !key.empty();
    std::map<std::int64_t, std::int64_t> places;  // of the log's numbers in the file
    for (const Piece& piece : pieces) {
        if (piece.whole) places.emplace(piece.found.number, piece.found.line);
    }
    const bool any_like = std::any_of(pieces.begin(), pieces.end(), [](const Piece& piece) {
        return piece.text.starts_with(beginning) && (piece.plain || piece.keyed);
    });
    if (!text.empty() && !any_like && !begins_as_log(text))
        raise(Code::data_document, "the text begins with " + in_quotes(text.substr(0, 61)) +
                                       "; allowed: an audit log, whose lines begin with {\"n\":");

    const auto report = [&](std::int64_t line, AuditProblem problem, std::string what) {
        chain.findings.push_back({line, problem, line_text(line) + " " + std::move(what)});
    };
    std::int64_t expected = 1;
    std::string_view before = no_hash;
    std::vector<const Piece*> broken;
    const auto changed = [&] {
        for (const Piece* piece : broken) {
            report(piece->found.line, AuditProblem::changed,
                   chain.sealed && piece->plain ? "is not sealed with the key: it was put in or changed"
                                                : "is not what was written: its hash does not fit its text");
        }
    };
    for (const Piece& piece : pieces) {
        if (!piece.whole) {
            broken.push_back(&piece);
            continue;
        }
        const ChainLine& line = piece.found;
        std::string_view rest = line.text.substr(line.text.find(line.before) + digits + 1);
        const bool tells_torn = rest.starts_with(",\"torn\":");
        bool explained = false;
        if (!broken.empty()) {
            const char* const begin = broken.front()->text.data();
            const std::string_view torn(begin, static_cast<std::size_t>(line.text.data() - begin));
            explained = rest.starts_with(torn_text(torn));
            if (explained) {
                ++chain.mended;
            } else {
                changed();
            }
        } else if (tells_torn) {
            report(line.line, AuditProblem::missing, "tells of a torn line before it, which is not there");
        }
        // A changed line's own hash is not known: the next one is taken to follow it.
        const auto lost = static_cast<std::int64_t>(explained ? 0 : broken.size());
        const bool follows =
            lost > 0 ? line.number == expected + lost : line.number == expected && line.before == before;
        if (!follows) {
            const std::string says = "says that it is number " + std::to_string(line.number) + " of the log";
            const auto place = places.find(line.number - 1);
            if (line.number > expected + lost && place == places.end()) {
                const std::int64_t gone = line.number - expected - lost;
                report(line.line, AuditProblem::missing,
                       says + ": " + (gone == 1 ? "the one" : "the " + std::to_string(gone)) + " before it " +
                           (gone == 1 ? "is" : "are") + " not there");
            } else {
                std::string what =
                    says + ", and does not follow " + (line.line == 1 ? "nothing" : line_text(line.line - 1));
                if (place != places.end() && place->second != line.line - 1)
                    what += ", but " + line_text(place->second);
                report(line.line, AuditProblem::misplaced, what + ": lines were moved, repeated or put in");
            }
        }
        expected = line.number + 1;
        before = line.hash;
        broken.clear();
        chain.lines.push_back(line);
        chain.open = !piece.ended;
    }
    if (!broken.empty()) {
        // A torn line has no end, or the blank and the end that a later writer gave it who was killed as well.
        const bool torn = std::all_of(broken.begin(), broken.end(),
                                      [](const Piece* piece) { return !piece->ended || piece->text.ends_with(' '); });
        if (torn) {
            report(broken.front()->found.line, AuditProblem::torn,
                   "is torn: its writing did not end, or the log was cut off within it");
        } else {
            changed();
        }
        const char* const begin = broken.front()->text.data();
        chain.torn = text.substr(static_cast<std::size_t>(begin - text.data()));
    }
    return chain;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
