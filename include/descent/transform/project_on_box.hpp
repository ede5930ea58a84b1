// project_on_box: x ← min(max(x, lower), upper), behind the rate.
//
// The Euclidean projection on a box, so the chain is projected gradient descent (D. P. Bertsekas, IEEE Trans. Autom. Control
// 21(2), 1976). The parameters are inside to the bit.
#ifndef DESCENT_TRANSFORM_PROJECT_ON_BOX_HPP
#define DESCENT_TRANSFORM_PROJECT_ON_BOX_HPP

#include <Eigen/Core>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// One pass. State: none with bounds that are numbers, copies of both bounds with vectors. NaN stays NaN.
class ProjectOnBox {
 public:
  static constexpr Stage accepts = Stage::point;
  static constexpr std::size_t slots = 2;
  static constexpr std::size_t forms = 2;  // numbers, vectors
  static constexpr std::size_t slots_in(std::size_t form) { return form == 0 ? 0 : 2; }
  std::size_t form() const { return each_ ? 1 : 0; }

  ProjectOnBox(double lower, double upper) : number_{lower, upper} {}
  ProjectOnBox(Eigen::VectorXd lower, Eigen::VectorXd upper)
      : lower_(std::move(lower)), upper_(std::move(upper)), each_(true) {}

  void check_size(Eigen::Index size) const {
    if (each_ && lower_.size() != size) {
      throw_invalid("project_on_box", "lower", join({to_text(lower_.size()), " bounds"}),
                    join({to_text(size), " bounds, one for each coefficient"}));
    }
  }
  template <class Real>
  void initialize(std::size_t slot, Real* column, Eigen::Index size) const {
    const Eigen::VectorXd& bound = slot == 0 ? lower_ : upper_;
    for (Eigen::Index i = 0; i < size; ++i) column[i] = static_cast<Real>(bound[i]);
  }

  template <class Real, std::size_t Form>
  auto kernel(const StepInfo&) const {
    if constexpr (Form == 0) {
      const auto lower = static_cast<Real>(number_[0]), upper = static_cast<Real>(number_[1]);
      return [=](auto& x, const auto&) {
        using L = std::remove_reference_t<decltype(x)>;
        x = min(max(x, L(lower)), L(upper));
      };
    } else {
      return [](auto& x, const auto&, const auto& lower, const auto& upper) {
        x = min(max(x, lower), upper);
      };
    }
  }

 private:
  double number_[2] = {};
  Eigen::VectorXd lower_, upper_;
  bool each_ = false;
};

/// Bounds for each coefficient, in the order in which they lie in memory; -∞ and ∞ are none. Throws
/// `std::invalid_argument` where lower ≤ upper does not hold or sizes differ.
inline ProjectOnBox project_on_box(Eigen::VectorXd lower, Eigen::VectorXd upper) {
  if (lower.size() != upper.size()) {
    throw_invalid("project_on_box", "upper", join({to_text(upper.size()), " bounds"}),
                  join({"as many as lower has, ", to_text(lower.size())}));
  }
  for (Eigen::Index i = 0; i < lower.size(); ++i) {
    if (!(lower[i] <= upper[i])) {
      throw_invalid("project_on_box", join({"lower[", to_text(i), "]"}), to_text(lower[i]),
                    join({"at most upper[", to_text(i), "], ", to_text(upper[i])}));
    }
  }
  return {std::move(lower), std::move(upper)};
}
/// The same bounds for all coefficients. Throws `std::invalid_argument` unless lower ≤ upper.
inline ProjectOnBox project_on_box(double lower, double upper) {
  if (!(lower <= upper)) {
    throw_invalid("project_on_box", "lower", to_text(lower),
                  join({"at most upper, ", to_text(upper)}));
  }
  return {lower, upper};
}
/// No coefficient is negative.
inline ProjectOnBox project_on_non_negative() {
  return project_on_box(0.0, std::numeric_limits<double>::infinity());
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_PROJECT_ON_BOX_HPP
