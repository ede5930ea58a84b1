// How models and decorators hold their arguments: lvalues by reference, rvalues by value, as `std::views::all` does.
#ifndef DESCENT_CORE_STORED_HPP
#define DESCENT_CORE_STORED_HPP

#include <Eigen/Core>
#include <type_traits>
#include <utility>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// Owns a value.
template <class T>
class Owned {
  T value_;

 public:
  explicit Owned(T&& value) : value_(std::move(value)) {}
  template <class Expression>
  explicit Owned(const Expression& expression) : value_(expression) {}
  const T& get() const { return value_; }
};

/// Refers to an object that must outlive it.
template <class T>
class Referred {
  const T* object_;

 public:
  explicit Referred(const T& object) : object_(&object) {}
  const T& get() const { return *object_; }
};

// What an rvalue is kept as: an Eigen expression or view as a plain matrix of its own (nobody keeps an `Eigen::Ref`).
template <class T>
struct Kept {
  using type = T;
};
template <class T>
requires requires(const T& value) {
  typename T::PlainObject;
  []<class D>(const Eigen::EigenBase<D>&) {}(value);  // segments derive from that of a block
}
struct Kept<T> {
  using type = typename T::PlainObject;
};

/// `Stored<T>` for a forwarding reference `T&&`.
template <class T>
using Stored = std::conditional_t<std::is_lvalue_reference_v<T>, Referred<std::remove_cvref_t<T>>,
                                  Owned<typename Kept<std::remove_cvref_t<T>>::type>>;

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_STORED_HPP
