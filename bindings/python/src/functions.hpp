#pragma once
/// \file
/// Functions, methods, properties and classes of the Python module. pybind11 keeps, documents and dispatches them, as it
/// does its own; only what differs from one to the next, how arguments become C++'s and the result Python's, is
/// compiled for each. pybind11's own `def` compiles all the rest again for every function, which made most of the
/// module's weight.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <span>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <pybind11/pybind11.h>

namespace py = pybind11;

namespace serinus::python {

/// A call as pybind11 hands it over: a Python object for each argument.
using Received = py::detail::function_call;

/// The name of an argument, by which it may be given too, and what stands for it where it is not given.
struct Named {
    const char* name;
    PyObject* otherwise = nullptr;  // the function's own

    explicit Named(const py::arg& argument) : name(argument.name) {}
    explicit Named(const py::arg_v& argument)
        : name(argument.name), otherwise(py::object(argument.value).release().ptr()) {}
};

/// What is known of a function from its type.
struct Signature {
    py::handle (*call)(Received&);
    const char* text;  // as pybind11 writes it, with a % for each of the types
    const std::type_info* const* types;
    std::uint16_t size;
    bool keywords;     // takes all other keywords as its last argument
    bool constructor;  // makes its first argument
};

/// A function that is put into a module or a class: what it is, and the C++ function itself, in at most three pointers.
struct Captured {
    const Signature& signature;
    const void* data;
    std::size_t size;
};
/// A function as Python sees it.
py::object made_function(py::handle scope, bool method, const char* name, const Captured& what,
                         std::span<const Named> names, const char* doc);
void put_function(py::handle scope, bool method, const char* name, const Captured& what, std::span<const Named> names,
                  const char* doc);
/// A property of a class; without `set` it can be read only.
void put_property(py::handle type, const char* name, const Captured& get, const Captured* set, const char* doc);

/// Reads the object that an argument is; null, whereupon the call is refused, where it is not of that type.
void* object_argument(Received& call, std::size_t place, const std::type_info& type);
/// Whether pybind11 may convert an argument, as it may all of them.
bool converted(const Received& call, std::size_t place);

/// How one argument is read.
template <class T>
struct Argument {
    py::detail::make_caster<T> caster;
    bool load(Received& call, std::size_t place) { return caster.load(call.args[place], converted(call, place)); }
    decltype(auto) get() { return py::detail::cast_op<T>(std::move(caster)); }
};
template <>
struct Argument<py::handle> {
    py::handle value;
    bool load(Received& call, std::size_t place) {
        value = call.args[place];
        return true;
    }
    py::handle get() const { return value; }
};
template <>
struct Argument<const py::kwargs&> : Argument<py::handle> {
    py::kwargs get() const { return py::reinterpret_borrow<py::kwargs>(value); }
};
template <class T>
    requires(std::is_lvalue_reference_v<T> &&
             std::is_base_of_v<py::detail::type_caster_generic, py::detail::make_caster<T>>)
struct Argument<T> {
    void* value = nullptr;
    bool load(Received& call, std::size_t place) {
        value = object_argument(call, place, typeid(T));
        return value != nullptr;
    }
    T get() const { return *static_cast<std::remove_reference_t<T>*>(value); }
};

template <std::size_t I, class T>
struct Placed {
    Argument<T> argument;
};
template <class Places, class... T>
struct Arguments;
template <std::size_t... I, class... T>
struct Arguments<std::index_sequence<I...>, T...> : Placed<I, T>... {
    bool load(Received& call) { return (Placed<I, T>::argument.load(call, I) && ...); }
    template <class F>
    decltype(auto) pass(F& function) {
        return std::invoke(function, Placed<I, T>::argument.get()...);
    }
};

/// A C++ function that takes and returns these.
template <class F, class Result, class... T>
struct Call {
    using Names = py::detail::argument_loader<T...>;
    using Given = py::detail::make_caster<std::conditional_t<std::is_void_v<Result>, py::detail::void_type, Result>>;
    static constexpr auto text =
        py::detail::const_name("(") + Names::arg_names + py::detail::const_name(") -> ") + Given::name;
    static constexpr auto types = decltype(text)::types();

    static_assert(Names::args_pos < 0, "a function takes its arguments one by one");
    static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= 3 * sizeof(void*));

    static py::handle run(Received& call) {
        Arguments<std::index_sequence_for<T...>, T...> arguments;
        if (!arguments.load(call)) return PYBIND11_TRY_NEXT_OVERLOAD;
        // A copy: it is a pointer, or nothing at all.
        alignas(F) std::array<std::byte, sizeof(F)> memory;
        std::memcpy(memory.data(), &call.func.data, sizeof(F));
        F& function = *std::launder(reinterpret_cast<F*>(memory.data()));
        if constexpr (std::is_void_v<Result>) {
            arguments.pass(function);
            return py::none().release();
        } else {
            return Given::cast(
                arguments.pass(function),
                py::detail::return_value_policy_override<Result>::policy(py::return_value_policy::automatic),
                call.parent);
        }
    }

    static constexpr Signature signature{
        &run,         text.text,         types.data(),
        sizeof...(T), Names::has_kwargs, (std::is_same_v<T, py::detail::value_and_holder&> || ...)};
};

/// The Call that a function is, as a method of that class.
template <class, class F, class Result, class... T>
Call<F, Result, T...> call_of(const F&, Result (*)(T...));
template <class Class, class Result, class C, class... T>
Call<Result (C::*)(T...), Result, Class&, T...> call_of(Result (C::*)(T...));
template <class Class, class Result, class C, class... T>
Call<Result (C::*)(T...) noexcept, Result, Class&, T...> call_of(Result (C::*)(T...) noexcept);
template <class Class, class Result, class C, class... T>
Call<Result (C::*)(T...) const, Result, const Class&, T...> call_of(Result (C::*)(T...) const);
template <class Class, class Result, class C, class... T>
Call<Result (C::*)(T...) const noexcept, Result, const Class&, T...> call_of(Result (C::*)(T...) const noexcept);
template <class Class, class Member, class C>
    requires(!std::is_function_v<Member>)
Call<Member C::*, const Member&, const Class&> call_of(Member C::*);
template <class, class Result, class... T>
Call<Result (*)(T...), Result, T...> call_of(Result (*)(T...));
template <class Class, class F>
    requires std::is_class_v<F>
auto call_of(const F& f) -> decltype(call_of<Class>(f, static_cast<py::detail::function_signature_t<F>*>(nullptr)));

template <class Class, class F>
Captured captured(const F& f) {
    return {decltype(call_of<Class>(f))::signature, &f, sizeof(F)};
}

/// `more` are the names of the arguments, all of them or none (py::arg), and behind them a docstring.
template <class Class, class F, class... More>
void put(py::handle scope, const char* name, const F& f, const More&... more) {
    constexpr bool method = !std::is_void_v<Class>;
    const char* doc = nullptr;
    [[maybe_unused]] const auto choose = [&]<class One>(const One& one) {
        if constexpr (std::is_convertible_v<const One&, const char*>) doc = one;
    };
    (choose(more), ...);
    constexpr std::size_t size = (std::size_t{!std::is_convertible_v<const More&, const char*>} + ... + 0);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        if constexpr (size == 0) {
            put_function(scope, method, name, captured<Class>(f), {}, doc);
        } else {
            const auto all = std::tie(more...);
            const Named names[]{Named(std::get<I>(all))...};
            put_function(scope, method, name, captured<Class>(f), names, doc);
        }
    }(std::make_index_sequence<size>());
}

/// The module, whose functions are made as above.
class Module : public py::module_ {
  public:
    explicit Module(const py::module_& module) : py::module_(module) {}

    template <class F, class... More>
    Module& def(const char* name, const F& f, const More&... more) {
        put<void>(*this, name, f, more...);
        return *this;
    }
};

/// A class whose methods are made as above.
template <class T>
class Class : public py::class_<T> {
  public:
    using py::class_<T>::class_;

    template <class F, class... More>
    Class& def(const char* name, const F& f, const More&... more) {
        put<T>(*this, name, f, more...);
        return *this;
    }
    /// How one is made: by the value that `make` returns.
    template <class F, class... More>
    Class& init(const F& make, const More&... more) {
        return init_by(make, static_cast<py::detail::function_signature_t<F>*>(nullptr), more...);
    }
    template <class F>
    Class& def_property_readonly(const char* name, const F& f, const char* doc = nullptr) {
        put_property(*this, name, captured<T>(f), nullptr, doc);
        return *this;
    }
    template <class Member>
    Class& def_readwrite(const char* name, Member T::*member) {
        const auto change = [member](T& self, const Member& value) { self.*member = value; };
        const Captured set = captured<T>(change);
        put_property(*this, name, captured<T>(member), &set, nullptr);
        return *this;
    }

  private:
    template <class F, class... A, class... More>
    Class& init_by(const F& make, T (*)(A...), const More&... more) {
        const auto construct = [make](py::detail::value_and_holder& self, A... given) {
            self.value_ptr() = new T(make(std::forward<A>(given)...));
        };
        return def("__init__", construct, more...);
    }
};

}  // namespace serinus::python
