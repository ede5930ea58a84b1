// An objective that misbehaves on purpose, and counts how often it is asked.
//
//     const Faulty faulty(f, {.fault = Fault::nan, .part = Part::coefficient, .from = 7});
//     minimize(faulty, ...);
//     faulty.counts().gradients; faulty.counts().faults;
//
// A decorator: it offers what the objective inside offers, mini-batches too. Without a plan it only
// counts.
#ifndef DESCENT_TESTS_SUPPORT_FAULTS_HPP
#define DESCENT_TESTS_SUPPORT_FAULTS_HPP

#include <descent/core/objective.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <limits>
#include <ostream>
#include <stdexcept>

namespace descent_test {

enum class Fault { none, nan, infinity, minus_infinity, huge, minus_huge, exception };
enum class Part { loss, coefficient, gradient };

/// The exception that is injected: a type of its own, with something in it to lose.
class InjectedError : public std::runtime_error {
 public:
  explicit InjectedError(std::int64_t number)
      : std::runtime_error("injected"), evaluation(number) {}
  std::int64_t evaluation;
};

struct FaultPlan {
  Fault fault = Fault::none;
  Part part = Part::gradient;
  std::int64_t from = 1;   ///< the evaluation of that part that goes wrong, 1 being the first
  bool once = true;        ///< else all later ones, too
  Eigen::Index index = 0;  ///< which coefficient

  bool finite() const {
    return fault == Fault::none || fault == Fault::huge || fault == Fault::minus_huge;
  }
  double value() const {
    switch (fault) {
      case Fault::infinity:
        return std::numeric_limits<double>::infinity();
      case Fault::minus_infinity:
        return -std::numeric_limits<double>::infinity();
      case Fault::huge:
        return 1e200;
      case Fault::minus_huge:
        return -1e200;
      default:
        return std::numeric_limits<double>::quiet_NaN();
    }
  }

  friend std::ostream& operator<<(std::ostream& out, const FaultPlan& plan) {
    constexpr const char* faults[] = {"no fault", "NaN",    "+infinity", "-infinity",
                                      "1e200",    "-1e200", "exception"};
    constexpr const char* parts[] = {"loss", "coefficient", "gradient"};
    return out << faults[static_cast<int>(plan.fault)] << " in the "
               << parts[static_cast<int>(plan.part)] << (plan.once ? " once, at " : " from ")
               << plan.from;
  }
};

struct EvaluationCounts {
  std::int64_t losses = 0, gradients = 0;
  std::int64_t batches = 0;  ///< gradients of mini-batches, which `gradients` counts too
  std::int64_t faults = 0;
};

template <class F>
class Faulty {
  const F* f_;
  FaultPlan plan_;
  mutable EvaluationCounts counts_;

  bool strikes(Part part, std::int64_t evaluation) const {
    const bool struck = plan_.fault != Fault::none &&
                        (part == Part::loss) == (plan_.part == Part::loss) &&
                        (plan_.once ? evaluation == plan_.from : evaluation >= plan_.from);
    if (!struck) return false;
    ++counts_.faults;
    if (plan_.fault == Fault::exception) throw InjectedError(evaluation);
    return true;
  }
  double spoil(double loss) const {
    return strikes(Part::loss, ++counts_.losses) ? plan_.value() : loss;
  }
  template <class V>
  void spoil(V& g) const {
    if (!strikes(Part::gradient, ++counts_.gradients)) return;
    const auto value = static_cast<typename V::Scalar>(plan_.value());
    if (plan_.part == Part::gradient) {
      g.setConstant(value);
    } else {
      g.data()[plan_.index] = value;
    }
  }

 public:
  explicit Faulty(const F& f, const FaultPlan& plan = {}) : f_(&f), plan_(plan) {}

  const EvaluationCounts& counts() const { return counts_; }

  template <class V>
  requires descent::HasLoss<F, V>
  double loss(const V& x) const { return spoil(static_cast<double>(f_->loss(x))); }
  template <class V>
  requires descent::HasGradient<F, V>
  void gradient(const V& x, V& g) const {
    f_->gradient(x, g);
    spoil(g);
  }
  template <class V>
  requires descent::HasLossAndGradient<F, V>
  double loss_and_gradient(const V& x, V& g) const {
    const double loss = spoil(static_cast<double>(f_->loss_and_gradient(x, g)));
    spoil(g);
    return loss;
  }

  Eigen::Index size() const requires descent::HasSize<F> { return f_->size(); }
  auto sampling_probabilities() const requires requires(const F& f) { f.sampling_probabilities(); }
  { return f_->sampling_probabilities(); }
  template <class V>
  requires descent::HasBatchGradient<F, V>
  void gradient(const V& x, descent::Batch batch, V& g) const {
    f_->gradient(x, batch, g);
    ++counts_.batches;
    spoil(g);
  }
  template <class V>
  requires descent::HasBatchLossAndGradient<F, V>
  double loss_and_gradient(const V& x, descent::Batch batch, V& g) const {
    const double loss = spoil(static_cast<double>(f_->loss_and_gradient(x, batch, g)));
    ++counts_.batches;
    spoil(g);
    return loss;
  }
};

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_FAULTS_HPP
