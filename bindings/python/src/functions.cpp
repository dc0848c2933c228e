/// \file
/// The part of functions.hpp that is the same for all functions.

#include "functions.hpp"

namespace serinus::python {
namespace {

class Function : public py::cpp_function {
  public:
    Function(py::handle scope, bool method, const char* name, const Captured& what, std::span<const Named> names,
             const char* doc) {
        const Signature& signature = what.signature;
        auto owner = make_function_record();
        auto* const record = owner.get();
        std::memcpy(&record->data, what.data, what.size);
        record->impl = signature.call;
        // Copied by pybind11 before anything is freed.
        record->name = const_cast<char*>(name);
        record->doc = const_cast<char*>(doc);
        record->scope = scope;
        record->is_method = method;
        record->is_operator = std::strcmp(name, "__eq__") == 0;
        record->is_new_style_constructor = signature.constructor;
        record->nargs_pos = static_cast<std::uint16_t>(signature.size - (signature.keywords ? 1 : 0));
        record->has_kwargs = signature.keywords;
        if (method && !names.empty()) record->args.emplace_back("self", nullptr, py::handle(), true, false);
        for (const Named& one : names) {
            record->args.emplace_back(one.name, nullptr, py::handle(one.otherwise), true, true);
        }
        initialize_generic(std::move(owner), signature.text, signature.types, signature.size);
    }
};

}  // namespace

py::object made_function(py::handle scope, bool method, const char* name, const Captured& what,
                         std::span<const Named> names, const char* doc) {
    return Function(scope, method, name, what, names, doc);
}

void put_function(py::handle scope, bool method, const char* name, const Captured& what, std::span<const Named> names,
                  const char* doc) {
    scope.attr(name) = Function(scope, method, name, what, names, doc);
}

void put_property(py::handle type, const char* name, const Captured& get, const Captured* set, const char* doc) {
    const py::handle property(reinterpret_cast<PyObject*>(&PyProperty_Type));
    const Function getter(type, true, "", get, {}, doc);
    const py::object setter = set != nullptr ? py::object(Function(type, true, "", *set, {}, doc)) : py::none();
    type.attr(name) = property(getter, setter, py::none(), py::str(doc != nullptr ? doc : ""));
}

void* object_argument(Received& call, std::size_t place, const std::type_info& type) {
    py::detail::type_caster_generic caster(type);
    return caster.load(call.args[place], true) ? caster.value : nullptr;
}

bool converted(const Received& call, std::size_t place) { return call.args_convert[place]; }

}  // namespace serinus::python
