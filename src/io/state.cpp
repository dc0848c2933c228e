#include <serinus/io/state.hpp>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

ordered_json to_json(const Tree& tree) {
    if (tree.shape == Tree::Shape::list) {
        ordered_json list = ordered_json::array();
        for (const Tree& child : tree.children) list.push_back(to_json(child));
        return list;
    }
    if (tree.shape == Tree::Shape::object) {
        ordered_json object = ordered_json::object();
        for (std::size_t i = 0; i < tree.children.size(); ++i) object.emplace(tree.names[i], to_json(tree.children[i]));
        return object;
    }
    return std::visit(
        [](const auto& value) -> ordered_json {
            if constexpr (std::is_same_v<decltype(value), const std::monostate&>) {
                return nullptr;
            } else {
                return value;
            }
        },
        tree.scalar);
}

Tree to_tree(const json& value) {
    Tree tree;
    switch (value.type()) {
        case json::value_t::boolean: tree.scalar = value.get<bool>(); break;
        case json::value_t::number_integer: tree.scalar = value.get<std::int64_t>(); break;
        case json::value_t::number_unsigned: {
            const auto number = value.get<std::uint64_t>();
            if (std::in_range<std::int64_t>(number)) {
                tree.scalar = static_cast<std::int64_t>(number);
            } else {
                tree.scalar = static_cast<double>(number);
            }
            break;
        }
        case json::value_t::number_float: tree.scalar = value.get<double>(); break;
        case json::value_t::string: tree.scalar = value.get_ref<const std::string&>(); break;
        case json::value_t::array:
            tree.shape = Tree::Shape::list;
            for (const json& element : value) tree.children.push_back(to_tree(element));
            break;
        case json::value_t::object:
            tree.shape = Tree::Shape::object;
            for (const auto& [name, member] : value.get_ref<const json::object_t&>()) {
                tree.names.push_back(name);
                tree.children.push_back(to_tree(member));
            }
            break;
        default: break;
    }
    return tree;
}

}  // namespace

std::string write_tree(const Tree& tree) { return to_json(tree).dump(); }

Tree read_tree(std::string_view text) {
    return to_tree(
        parse_json(text, "the state",
                   {.syntax = Code::state_damaged, .duplicate = Code::state_damaged, .size = Code::state_damaged}));
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
