#pragma once
/// \file
/// What not every metric has, kept apart from what each has; inside the library only.

#include <memory>
#include <utility>

namespace serinus {
inline namespace v0 {
namespace detail {

/// A `std::optional` that is as large as a pointer while it is empty: a rollout keeps a row of metrics of all kinds, and
/// in such a row each takes the room of the largest. Copies are deep.
template <class T>
class Apart {
  public:
    Apart() = default;
    Apart(const Apart& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
    Apart(Apart&&) noexcept = default;
    Apart& operator=(const Apart& other) {
        if (this != &other) held_ = other.held_ ? std::make_unique<T>(*other.held_) : nullptr;
        return *this;
    }
    Apart& operator=(Apart&&) noexcept = default;
    ~Apart() = default;

    template <class... Arguments>
    T& emplace(Arguments&&... arguments) {
        held_ = std::make_unique<T>(std::forward<Arguments>(arguments)...);
        return *held_;
    }
    void reset() noexcept { held_.reset(); }

    bool has_value() const noexcept { return held_ != nullptr; }
    explicit operator bool() const noexcept { return has_value(); }
    T& operator*() noexcept { return *held_; }
    const T& operator*() const noexcept { return *held_; }
    T* operator->() noexcept { return held_.get(); }
    const T* operator->() const noexcept { return held_.get(); }

  private:
    std::unique_ptr<T> held_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
