#pragma once
/// \file
/// The state of a Monitor or a test as JSON, for stores that hold texts. The bytes of core/state.hpp say the same in a
/// third of the room.
///
/// The struct's own description is walked: `{"kind": "prop", "version": 1, "alpha": 0.05, ...}`, one member a field
/// (so no field may be called kind or version), further states alike, arrays and vectors as lists, enums as their
/// words, an empty optional as null. Every double comes back as it was: NaN and the infinities, which JSON does not
/// have, are the texts "NaN", "Infinity", "-Infinity". Texts that are no UTF-8 become {"hex": "c328"}.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// A JSON value. It keeps the JSON library out of this header.
struct Tree {
    enum class Shape : std::uint8_t { scalar = 1, list = 2, object = 3 };

    Shape shape = Shape::scalar;
    std::variant<std::monostate, bool, std::int64_t, double, std::string> scalar;  ///< monostate: null
    std::vector<Tree> children;                                                    ///< of a list or an object
    std::vector<std::string> names;                                                ///< of an object's children
};

/// The text of a tree, without blanks. Its doubles are finite and its strings UTF-8.
std::string write_tree(const Tree& tree);

/// The tree of a text. Raises `serinus.state.damaged` for what is no JSON, has a key twice, is nested more than 64 deep
/// or larger than 1 GiB.
Tree read_tree(std::string_view json);

namespace state_detail {

inline std::string to_hex(std::string_view bytes) {
    std::string hex;
    for (const char c : bytes) {
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
        hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 0xFU];
    }
    return hex;
}

inline std::optional<std::string> from_hex(std::string_view hex) {
    std::string bytes;
    if (hex.size() % 2 != 0) return std::nullopt;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const std::size_t high = std::string_view("0123456789abcdef").find(hex[i]);
        const std::size_t low = std::string_view("0123456789abcdef").find(hex[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

/// Walks the fields of a state into the members of a tree.
class TreeWriter {
  public:
    template <StateStruct State>
    static Tree tree(const State& state) {
        TreeWriter writer;
        writer("kind", std::string(State::kind));
        writer("version", std::int64_t{State::version});
        State::describe(writer, state);
        return std::move(writer.object_);
    }

    template <class T>
    void operator()(std::string_view name, const T& value) {
        if constexpr (detail::PartOfState<T>) {
            T::describe(*this, value);
        } else {
            // The fields of a part stand among those of the whole: of two parts of one type the second would be lost.
            if (std::find(object_.names.begin(), object_.names.end(), name) != object_.names.end())
                raise(Code::internal, "a state has two fields that are called " + printable(name));
            object_.names.emplace_back(name);
            object_.children.push_back(tree(value));
        }
    }

  private:
    TreeWriter() { object_.shape = Tree::Shape::object; }

    template <class T>
    static Tree scalar(T value) {
        Tree tree;
        tree.scalar = std::move(value);
        return tree;
    }
    template <detail::PartOfState Part>
    static Tree tree(const Part& part) {
        TreeWriter writer;
        Part::describe(writer, part);
        return std::move(writer.object_);
    }
    static Tree tree(bool value) { return scalar(value); }
    static Tree tree(std::int64_t value) { return scalar(value); }
    static Tree tree(double value) {
        if (std::isnan(value)) return scalar(std::string("NaN"));
        if (std::isinf(value)) return scalar(std::string(value > 0 ? "Infinity" : "-Infinity"));
        return scalar(value);
    }
    static Tree tree(const std::string& value) {
        if (valid_utf8(value)) return scalar(value);
        TreeWriter writer;
        writer("hex", to_hex(value));
        return std::move(writer.object_);
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    static Tree tree(Enum value) {
        return scalar(std::string(word(value)));
    }
    template <class T>
    static Tree tree(const std::optional<T>& value) {
        return value ? tree(*value) : Tree{};
    }
    template <class T, std::size_t N>
    static Tree tree(const std::array<T, N>& values) {
        return list(values);
    }
    template <class T>
    static Tree tree(const std::vector<T>& values) {
        return list(values);
    }
    template <class Values>
    static Tree list(const Values& values) {
        Tree list;
        list.shape = Tree::Shape::list;
        for (const auto& value : values) list.children.push_back(tree(value));
        return list;
    }

    Tree object_;
};

/// What fields were called in states that were written before: bytes hold no names, JSON does.
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 4> former_names{
    {{"alpha_safe", "alpha_promote"}, {"tuned_at", "n_opt"}, {"from_size", "t_min"}, {"run_length", "arl"}}};
inline std::string_view former_name(std::string_view name) {
    for (const auto& [now, before] : former_names) {
        if (now == name) return before;
    }
    return name;
}

/// Walks the fields of a state, taking each from the tree.
class TreeReader {
  public:
    template <StateStruct State>
    static void read(const std::string& path, const Tree& tree, State& state) {
        if (tree.shape != Tree::Shape::object) wrong(path, "an object");
        TreeReader reader(path, tree);
        std::string kind;
        reader("kind", kind);
        if (kind != State::kind) {
            raise(Code::state_kind,
                  reader.member("kind") + " is " + in_quotes(kind) + "; allowed: \"" + std::string(State::kind) + "\"");
        }
        std::int64_t version = 0;
        reader("version", version);
        if (version < 0 || !detail::is_read<State>(static_cast<std::uint64_t>(version))) {
            raise(Code::state_version, reader.member("version") + " is " + std::to_string(version) +
                                           "; allowed: " + detail::allowed_versions<State>());
        }
        const auto take = [&](std::string_view name, auto& field) {
            if (detail::has_field<State>(name, version)) reader(name, field);
        };
        State::describe(take, state);
        reader.require_all_taken("a state of kind \"" + std::string(State::kind) + '"');
    }
    template <detail::PartOfState Part>
    static void read(const std::string& path, const Tree& tree, Part& part) {
        if (tree.shape != Tree::Shape::object) wrong(path, "an object");
        TreeReader reader(path, tree);
        Part::describe(reader, part);
        reader.require_all_taken("it");
    }

    template <class T>
    void operator()(std::string_view name, T& value) {
        if constexpr (detail::PartOfState<T>) {
            T::describe(*this, value);
        } else {
            member_of(name, value);
        }
    }

  private:
    TreeReader(std::string path, const Tree& object)
        : path_(std::move(path)), object_(object), is_taken_(object.names.size()) {}

    void require_all_taken(const std::string& whose) const {
        for (std::size_t i = 0; i < object_.names.size(); ++i) {
            if (is_taken_[i]) continue;
            raise(Code::state_damaged, member(object_.names[i]) + " is unknown; allowed: the fields of " + whose);
        }
    }
    template <class T>
    void member_of(std::string_view name, T& value) {
        auto at = std::find(object_.names.begin(), object_.names.end(), name);
        if (at == object_.names.end()) at = std::find(object_.names.begin(), object_.names.end(), former_name(name));
        if (at == object_.names.end())
            raise(Code::state_damaged, member(name) + " is missing; allowed: the state with all of its fields");
        const auto i = static_cast<std::size_t>(at - object_.names.begin());
        is_taken_[i] = true;
        read(member(name), object_.children[i], value);
    }
    std::string member(std::string_view name) const {
        return path_.empty() ? printable(name) : path_ + '.' + printable(name);
    }
    [[noreturn]] static void wrong(const std::string& path, std::string_view allowed) {
        raise(Code::state_damaged,
              (path.empty() ? "the state" : path) + " has a value of another type; allowed: " + std::string(allowed));
    }

    /// The scalar when it is a T, else null.
    template <class T>
    static const T* held_by(const Tree& tree) {
        return tree.shape == Tree::Shape::scalar ? std::get_if<T>(&tree.scalar) : nullptr;
    }

    static void read(const std::string& path, const Tree& tree, bool& value) {
        const auto* held = held_by<bool>(tree);
        if (held == nullptr) wrong(path, "true, false");
        value = *held;
    }
    static void read(const std::string& path, const Tree& tree, std::int64_t& value) {
        const auto* held = held_by<std::int64_t>(tree);
        if (held == nullptr) wrong(path, "a whole number of 64 bits");
        value = *held;
    }
    static void read(const std::string& path, const Tree& tree, double& value) {
        if (const auto* real = held_by<double>(tree)) {
            value = *real;
        } else if (const auto* whole = held_by<std::int64_t>(tree)) {
            value = static_cast<double>(*whole);
        } else {
            const auto* text = held_by<std::string>(tree);
            const auto is = [text](std::string_view name) { return text != nullptr && *text == name; };
            if (is("NaN")) {
                value = std::numeric_limits<double>::quiet_NaN();
            } else if (is("Infinity") || is("-Infinity")) {
                value = text->front() == '-' ? -std::numeric_limits<double>::infinity()
                                             : std::numeric_limits<double>::infinity();
            } else {
                wrong(path, "a number, \"NaN\", \"Infinity\", \"-Infinity\"");
            }
        }
    }
    static void read(const std::string& path, const Tree& tree, std::string& value) {
        if (const auto* text = held_by<std::string>(tree)) {
            value = *text;
            return;
        }
        if (tree.shape == Tree::Shape::object && tree.names == std::vector<std::string>{"hex"}) {
            const auto* hex = held_by<std::string>(tree.children.front());
            if (auto bytes = hex == nullptr ? std::nullopt : from_hex(*hex)) {
                value = std::move(*bytes);
                return;
            }
        }
        wrong(path, "a text, or {\"hex\": its bytes as hexadecimal digits}");
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    static void read(const std::string& path, const Tree& tree, Enum& value) {
        const auto* text = held_by<std::string>(tree);
        if (text == nullptr) wrong(path, allowed_words<Enum>());
        const auto held = parse_word<Enum>(*text);
        if (!held) raise(Code::state_damaged, path + " is " + in_quotes(*text) + "; allowed: " + allowed_words<Enum>());
        value = *held;
    }
    template <class T>
    static void read(const std::string& path, const Tree& tree, std::optional<T>& value) {
        value.reset();
        if (held_by<std::monostate>(tree) == nullptr) read(path, tree, value.emplace());
    }
    template <class T, std::size_t N>
    static void read(const std::string& path, const Tree& tree, std::array<T, N>& values) {
        if (tree.shape != Tree::Shape::list || tree.children.size() != N) wrong(path, "a list of " + std::to_string(N));
        for (std::size_t i = 0; i < N; ++i) read(path + '[' + std::to_string(i) + ']', tree.children[i], values[i]);
    }
    template <class T>
    static void read(const std::string& path, const Tree& tree, std::vector<T>& values) {
        if (tree.shape != Tree::Shape::list) wrong(path, "a list");
        values.clear();
        for (std::size_t i = 0; i < tree.children.size(); ++i)
            read(path + '[' + std::to_string(i) + ']', tree.children[i], values.emplace_back());
    }

    std::string path_;
    const Tree& object_;
    std::vector<bool> is_taken_;
};

}  // namespace state_detail

/// The state as JSON. Cost: linear in its size.
template <StateStruct State>
std::string write_state(const State& state) {
    return write_tree(state_detail::TreeWriter::tree(state));
}

/// The state that `write_state` wrote. Raises `serinus.state.kind`, `.version` or `.damaged`, naming the path of what
/// is wrong, for every other text. Whether the numbers make sense is for the class's `restore` to check.
template <StateStruct State>
State read_state(std::string_view json) {
    State state;
    const Tree tree = read_tree(json);
    state_detail::TreeReader::read("", tree, state);
    return state;
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
