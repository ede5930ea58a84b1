// LogisticRegression: the mean log-loss of a linear classifier of two classes.
//
//     f(w) = 1/n Σᵢ log(1 + exp(zᵢ)) − yᵢ zᵢ,   zᵢ = xᵢᵀw        σ(z) = 1/(1 + exp(−z)) is the probability of class 1
//
// scikit-learn's LogisticRegression minimizes C n f + ½ ‖w‖²: the same as l2(f, 1/(C n)), but for its intercept, which it
// does not penalize.
#ifndef DESCENT_OBJECTIVE_LOGISTIC_REGRESSION_HPP
#define DESCENT_OBJECTIVE_LOGISTIC_REGRESSION_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/stored.hpp"
#include "descent/engine/increasing_root.hpp"
#include "descent/engine/linear_model.hpp"

namespace descent::inline v0 {

/// ℓ(z, y) = log(1 + eᶻ) − y z, slope σ(z) − y, y of 0 and 1. Neither overflows, and neither loses the digits of what is
/// close to 0.
struct LogisticLoss {
  /// Scores a sample.
  static constexpr Eigen::Index outputs() { return 1; }
  /// The largest ∂²ℓ/∂z².
  static constexpr double largest_curvature() { return 0.25; }

  /// The slope s at the score z with z + q s = v, q > 0: SDCA's step.
  static double dual_step(double v, double y, double q) {
    // m − q σ(−m) = s v of the margin m = s z.
    const double s = 2 * y - 1, least = s * v, most = least + q;
    const auto p = [](double m) { return 1 / (1 + std::exp(m)); };
    const double margin = increasing_root(
        least, most, std::clamp(0.0, least, most), [&](double m) -> std::pair<double, double> {
          const double here = p(m);
          return {m - least - q * here, 1 + q * here * (1 - here)};
        });
    return -s * p(margin);
  }

  /// From scores to losses and slopes, see `LinearModel`.
  template <class Z, class Y, class Losses>
  static void evaluate(Z& z, const Y& y, Losses& losses) {
    // With s = ±1 for the classes it is log(1 + exp(−s z)), of slope −s σ(−s z).
    using Scalar = typename Z::Scalar;
    const Losses s = Scalar(2) * y - Scalar(1);
    const Losses margin = s * z.col(0);
    const Losses p = (-margin.abs()).exp();
    log_of_one_and(p, losses);
    losses += (-margin).max(Scalar(0));
    z.col(0) = -s * (margin > Scalar(0)).select(p, Scalar(1)) / (Scalar(1) + p);
  }
  /// The slope of one score alone, −s σ(−s z), without a branch that nobody can predict.
  template <class Scalar>
  static Scalar slope(Scalar z, Scalar y) {
    const Scalar s = Scalar(2) * y - Scalar(1);
    return -s / (Scalar(1) + std::exp(s * z));
  }

 private:
  // log(1 + p) for p in [0, 1], within 2 units of the last place: 2 artanh r for r = p/(2 + p) in [0, 1/3]. The best
  // polynomial of degree 9 in q = r² for (artanh(r)/r − 1)/q is within 5e-17. (Eigen's log1p takes ten times longer.)
  template <class Losses>
  static void log_of_one_and(const Losses& p, Losses& result) {
    using S = typename Losses::Scalar;
    const Losses r = p / (p + S(2)), q = r.square();
    const Losses high = S(0.07692785032479312) +
                        q * (S(0.06657072104827468) +
                             q * (S(0.06000536404795356) +
                                  q * (S(0.04400369243072337) + q * S(0.08082022805971766))));
    const Losses all =
        S(0.3333333333333333) +
        q * (S(0.20000000000007292) +
             q * (S(0.1428571428355438) +
                  q * (S(0.11111111358713932) + q * (S(0.09090894718066429) + q * high))));
    result = S(2) * (r + r * q * all);
  }
};

/// LogisticRegression(X, y), or (X, y, {.intercept = true}): labels are 0 and 1, anything else is an
/// `std::invalid_argument`. For X, y and w see `LinearModel`.
template <class HeldX, class HeldY>
class LogisticRegression : public LinearModel<LogisticLoss, HeldX, HeldY> {
 public:
  template <class X, class Y>
  LogisticRegression(X&& x, Y&& y, const LinearModelOptions& options = {})
      : LinearModel<LogisticLoss, HeldX, HeldY>("LogisticRegression", std::forward<X>(x),
                                                std::forward<Y>(y), {}, options) {
    this->require_classes();
  }
};

template <class X, class Y>
LogisticRegression(X&&, Y&&, const LinearModelOptions& = {})
    -> LogisticRegression<Stored<X&&>, Stored<Y&&>>;

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_LOGISTIC_REGRESSION_HPP
