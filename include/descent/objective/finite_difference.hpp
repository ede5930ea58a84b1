// finite_difference: the gradient of a loss that has none, by central differences,
//
//     gᵢ ≈ (f(x + hᵢeᵢ) − f(x − hᵢeᵢ)) / (2hᵢ),     hᵢ = ∛ε max(|xᵢ|, 1)
//
// ε being the machine epsilon of the parameters' scalar: what is cut off, h²f‴/6, and what rounding adds, ε|f|/h, are then of
// one size, ε^(2/3) (W. H. Press et al., "Numerical Recipes", 3rd ed., section 5.7). Where a bound is nearer than hᵢ the three
// points lie on the other side of x, gᵢ ≈ ±(−3f(x) + 4f(x ± h) − f(x ± 2h)) / (2h), and closer where there is no room for them:
// f is never asked outside. 2n losses a gradient; nine to ten digits of it in double, four to five in float. A loss that is not
// finite beside x makes the gradient so.
#ifndef DESCENT_OBJECTIVE_FINITE_DIFFERENCE_HPP
#define DESCENT_OBJECTIVE_FINITE_DIFFERENCE_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "descent/core/bound.hpp"
#include "descent/core/errors.hpp"
#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"

namespace descent::inline v0 {

/// The options of `finite_difference`.
struct FiniteDifferenceOptions {
  Bound lower =
      -std::numeric_limits<double>::infinity();  ///< a number or a vector; f is not asked below
  Bound upper =
      std::numeric_limits<double>::infinity();  ///< a number or a vector; f is not asked above
  double relative_step = 0;                     ///< h / max(|x|, 1), in [0, 1); 0: ∛ε
};

/// Loss and gradient, apart. A gradient makes one copy of x.
template <class Held>
class FiniteDifference {
  Held f_;
  FiniteDifferenceOptions options_;

 public:
  FiniteDifference(Held f, const FiniteDifferenceOptions& options)
      : f_(std::move(f)), options_(options) {
    check_bounds("finite_difference", options.lower, options.upper);
    checked("finite_difference", "relative_step", options.relative_step, range::decay_rate);
  }

  template <class V>
  double loss(const V& x) const {
    if constexpr (HasLoss<std::remove_cvref_t<decltype(f_.get())>, V>) {
      return static_cast<double>(f_.get().loss(x));
    } else {
      return static_cast<double>(f_.get()(x));
    }
  }

  template <class V>
  void gradient(const V& x, V& g) const {
    for (const Bound* bound : {&options_.lower, &options_.upper}) {
      if (!bound->is_number() && bound->size() != x.size()) {
        throw_invalid("finite_difference", bound == &options_.lower ? "lower" : "upper",
                      join({to_text(bound->size()), " bounds"}),
                      join({to_text(x.size()), " bounds, one for each coefficient"}));
      }
    }
    V at = x;
    double here = std::numeric_limits<double>::quiet_NaN();  // f(x), where it is needed
    for (Eigen::Index i = 0; i < x.size(); ++i) g.data()[i] = derivative(x, at, i, here);
  }

 private:
  template <class V>
  typename V::Scalar derivative(const V& x, V& at, Eigen::Index i, double& here) const {
    using Real = typename V::Scalar;
    const auto xi = static_cast<double>(x.data()[i]);
    const double step = options_.relative_step > 0
                            ? options_.relative_step
                            : std::cbrt(static_cast<double>(std::numeric_limits<Real>::epsilon()));
    const double h = step * (std::max)(std::abs(xi), 1.0);
    const double below = xi - options_.lower[i], above = options_.upper[i] - xi;
    // f at x + d, and the d that rounding has made of it.
    const auto ask = [&](double& d) {
      at.data()[i] = static_cast<Real>((std::clamp)(xi + d, options_.lower[i], options_.upper[i]));
      d = static_cast<double>(at.data()[i]) - xi;
      const double value = loss(at);
      at.data()[i] = x.data()[i];
      return value;
    };
    double slope;
    if (below >= h && above >= h) {
      double up = h, down = -h;
      const double high = ask(up), low = ask(down);
      slope = (high - low) / (up - down);
    } else if (below > 0 || above > 0) {
      if (std::isnan(here)) here = loss(x);
      // To the side with more room: the parabola through x and two points there.
      const double room = (std::min)((std::max)(below, above), 2 * h),
                   sign = above >= below ? 1 : -1;
      double far = sign * room, near = sign * room / 2;
      const double to_far = (ask(far) - here) / far, to_near = (ask(near) - here) / near;
      slope = to_near + (to_near - to_far) * (near / (far - near));
    } else {
      slope = 0;  // nowhere to go
    }
    return static_cast<Real>(slope);
  }
};

/// An objective from a callable x -> loss, or from anything with a member loss(x); referred to where it is an lvalue and owned
/// where it is an rvalue. Throws `std::invalid_argument` outside the ranges above.
template <class F>
auto finite_difference(F&& f, const FiniteDifferenceOptions& options = {}) {
  return FiniteDifference<Stored<F&&>>(Stored<F&&>(std::forward<F>(f)), options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_FINITE_DIFFERENCE_HPP
