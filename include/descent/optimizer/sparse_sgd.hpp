// SparseSGD: SGD by sparse gradients, with L2 and L1 penalties that are applied to a coefficient when it is next looked at.
//
//     dense:  x ← soft((1 − ηλ₂) x − η g, ηλ₁)          soft(x, τ) = sign(x) max(|x| − τ, 0), at every step, for all
//     lazily: x_t = P_t/P_k · soft(x_k, P_k (S_t − S_k))   for a coefficient that was last looked at after step k,
//             P_t = Π (1 − η_s λ₂),  S_t = Σ η_s λ₁/P_s,   products and sums over the steps s ≤ t
//
// The same numbers but for rounding, whatever the rates: soft(c x, τ) = c soft(x, τ/c) and soft(soft(x, a), b) = soft(x, a + b)
// make many steps one. J. Langford, L. Li and T. Zhang, "Sparse online learning via truncated gradient", JMLR 10, 2009, section
// 3.4, for L1, B. Carpenter, "Lazy sparse stochastic gradient descent for regularized multinomial logistic regression", 2008;
// the step is the proximal one of J. Duchi and Y. Singer (FOBOS, JMLR 10, 2009), but for L2, whose gradient it is.
#ifndef DESCENT_OPTIMIZER_SPARSE_SGD_HPP
#define DESCENT_OPTIMIZER_SPARSE_SGD_HPP

#include <Eigen/Core>
#include <cstdint>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/schedule.hpp"
#include "descent/core/sparse_gradient.hpp"
#include "descent/engine/shrinkage.hpp"

namespace descent::inline v0 {

/// The hyper-parameters of SparseSGD.
struct SparseSGDOptions {
  Schedule learning_rate = 1e-3;  ///< η, a number in [0, ∞) or a schedule
  double l2 = 0;                  ///< λ₂ of λ₂/2 ‖x‖², in [0, ∞); η λ₂ < 1
  double l1 = 0;                  ///< λ₁ of λ₁ ‖x‖₁, in [0, ∞)
};

/// For loops of one's own over sparse samples; the cost of a step is that of the coordinates named:
///
///     sgd.catch_up(x, indices);                        // what the gradient depends on
///     ...                                              // the gradient g at x, of those coordinates
///     sgd.step(x, SparseGradient(indices, g));
///     ...
///     sgd.catch_up(x);                                 // all of x, to be read
///
/// State: two slots, of doubles, where there is a penalty; one pass over the coordinates that are named. After the first step
/// nothing allocates, while indices ascend. Throws `std::invalid_argument` outside the ranges above.
template <class Vector_ = Eigen::VectorXd>
class SparseSGD {
 public:
  /// The type of the parameters.
  using Vector = Vector_;
  /// float or double.
  using Scalar = typename Vector::Scalar;

  explicit SparseSGD(const SparseSGDOptions& options = {})
      : rate_(options.learning_rate.checked(name, "learning_rate", range::non_negative)),
        now_{.l2 = checked(name, "l2", options.l2, range::non_negative),
             .l1 = checked(name, "l1", options.l1, range::non_negative)} {}

  /// One step by a `SparseGradient`, or an `Eigen::SparseVector`: the coordinates that it names are up to date behind it. What
  /// is named twice is summed. Throws `std::invalid_argument`, and changes nothing, for an index that is not in x, an x of
  /// another size than before, and a rate outside its range.
  template <class G>
  requires NamesCoordinates<G>
  void step(Vector& x, const G& g) {
    const SparseGradient named(g);
    const Coalesced distinct(named, x.size());
    const double rate = now_.checked_rate(name, learning_rate());
    prepare(x);
    if (now_.spent(rate)) catch_up(x);
    const auto gradient = distinct.view();
    for (const auto i : gradient.indices) look_at(x, static_cast<Eigen::Index>(i));
    const double kept = now_.step(rate), threshold = rate * now_.l1;
    for (std::size_t k = 0; k < gradient.indices.size(); ++k) {
      const auto i = static_cast<Eigen::Index>(gradient.indices[k]);
      const double moved =
          kept * static_cast<double>(x.data()[i]) - rate * static_cast<double>(gradient.values[k]);
      x.data()[i] = static_cast<Scalar>(soft(moved, threshold));
      if (penalized()) mark(i);
    }
    ++steps_;
  }

  /// Brings the named coordinates of x up to date; indices of any kind of integer.
  template <class Indices>
  void catch_up(Vector& x, const Indices& indices) {
    prepare(x);
    for (const auto i : indices) {
      const auto index = static_cast<Eigen::Index>(i);
      if (index < 0 || index >= x.size()) {
        throw_invalid("catch_up", "index", to_text(index),
                      join({"in [0, ", to_text(x.size()), ")"}));
      }
      look_at(x, index);
    }
  }
  /// Brings all of x up to date.
  void catch_up(Vector& x) {
    if (!penalized()) return;
    prepare(x);
    for (Eigen::Index i = 0; i < x.size(); ++i) look_at(x, i);
    now_ = {.l2 = now_.l2, .l1 = now_.l1};
    for (Eigen::Index i = 0; i < x.size(); ++i) mark(i);
  }

  /// Back to before the first step.
  void reset() {
    steps_ = 0;
    factor_ = 1;
    now_ = {.l2 = now_.l2, .l1 = now_.l1};
    marks_.resize(2, 0);
  }
  /// The number of steps taken.
  std::int64_t steps() const { return steps_; }
  /// The learning rate of the next step.
  double learning_rate() const { return factor_ * rate_(steps_); }
  /// Another learning rate from the next step on; the step count goes on.
  void set_learning_rate(Schedule learning_rate) {
    learning_rate.checked("set_learning_rate", "learning_rate", range::non_negative);
    rate_ = std::move(learning_rate);
  }
  /// Multiplies the rate of all later steps by a factor in [0, ∞), on top of the schedule.
  void scale_learning_rate(double factor) {
    factor_ *= checked("scale_learning_rate", "factor", factor, range::non_negative);
  }

 private:
  static constexpr std::string_view name = "SparseSGD";

  Schedule rate_;
  double factor_ = 1;
  Shrinkage now_;
  std::int64_t steps_ = 0;
  Eigen::Matrix<double, 2, Eigen::Dynamic> marks_{
      2, 0};  // P and S when a coefficient was last looked at

  bool penalized() const { return now_.l2 > 0 || now_.l1 > 0; }
  void mark(Eigen::Index i) {
    marks_(0, i) = now_.scale;
    marks_(1, i) = now_.threshold;
  }
  void look_at(Vector& x, Eigen::Index i) {
    if (!penalized()) return;
    const double scale = marks_(0, i), threshold = now_.threshold - marks_(1, i);
    if (scale == now_.scale && threshold == 0) return;
    const auto old = static_cast<double>(x.data()[i]);
    x.data()[i] = static_cast<Scalar>(now_.scale / scale * soft(old, scale * threshold));
    mark(i);
  }
  void prepare(const Vector& x) {
    if (!penalized() || marks_.cols() == x.size()) return;
    if (marks_.cols() > 0) {
      throw_invalid("step", "x", join({to_text(x.size()), " coefficients"}),
                    join({"of ", to_text(marks_.cols()), ", as before (reset() forgets it)"}));
    }
    marks_.resize(2, x.size());
    for (Eigen::Index i = 0; i < x.size(); ++i) mark(i);
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_OPTIMIZER_SPARSE_SGD_HPP
