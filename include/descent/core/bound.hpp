// A bound on parameters: one number for all of them, or one for each.
#ifndef DESCENT_CORE_BOUND_HPP
#define DESCENT_CORE_BOUND_HPP

#include <Eigen/Core>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// Made of a number, or of a vector in the order in which the parameters lie in memory; -∞ and ∞ are no bounds.
class Bound {
  bool one_ = true;
  double number_ = 0;
  Eigen::VectorXd each_{};

 public:
  Bound(double number) : number_(number) {}
  template <class D>
  Bound(const Eigen::MatrixBase<D>& each)
      : one_(false), each_(each.template cast<double>().reshaped()) {}

  /// Nothing else is a bound.
  template <class T>
  requires(!std::is_arithmetic_v<T> && !std::is_base_of_v<Eigen::EigenBase<T>, T> &&
           !std::is_same_v<T, Bound>) Bound(const T&) {
    static_assert(std::is_arithmetic_v<T>,
                  "a bound is a number, or an Eigen vector with a number for each coefficient "
                  "(Eigen::Map makes one of a std::vector)");
  }

  /// Whether it is one number for all.
  bool is_number() const { return one_; }
  /// That of coefficient i.
  double operator[](Eigen::Index i) const { return one_ ? number_ : each_[i]; }
  /// How many numbers there are.
  Eigen::Index size() const { return one_ ? 1 : each_.size(); }
};

/// Throws `std::invalid_argument` unless lower ≤ upper everywhere, with finite room between, and sizes agree.
inline void check_bounds(std::string_view who, const Bound& lower, const Bound& upper) {
  if (!lower.is_number() && !upper.is_number() && lower.size() != upper.size()) {
    throw_invalid(who, "upper", join({to_text(upper.size()), " bounds"}),
                  join({"as many as lower has, ", to_text(lower.size())}));
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Eigen::Index size = lower.is_number() ? upper.size() : lower.size();
  for (Eigen::Index i = 0; i < size; ++i) {
    if (!(lower[i] <= upper[i] && lower[i] < infinity && upper[i] > -infinity)) {
      const bool one = lower.is_number() && upper.is_number();
      throw_invalid(
          who, one ? std::string("lower") : join({"lower[", to_text(i), "]"}), to_text(lower[i]),
          join({"a number of at most upper", one ? std::string() : join({"[", to_text(i), "]"}),
                ", ", to_text(upper[i])}));
    }
  }
}

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_BOUND_HPP
