// Optimizers whose types are forgotten, and the table of them:
//
//     for (const OptimizerRow& row : optimizer_rows()) {
//       AnyOptimizer<double> optimizer = row.make<double>();
//       optimizer.step(x, g);
//     }
#ifndef DESCENT_TESTS_SUPPORT_ANY_OPTIMIZER_HPP
#define DESCENT_TESTS_SUPPORT_ANY_OPTIMIZER_HPP

#include "support/bits.hpp"

#include <descent/core/schedule.hpp>
#include <descent/engine/chain.hpp>

#include <Eigen/Core>

#include <any>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace descent_test {

/// An optimizer of dynamic vectors whose type is forgotten.
template <class Real>
class AnyOptimizer {
 public:
  using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

  template <class O>
  requires(!std::is_same_v<O, AnyOptimizer>) explicit AnyOptimizer(O optimizer)
      : self_(std::make_unique<Holder<O>>(std::move(optimizer))) {}
  AnyOptimizer(const AnyOptimizer& other) : self_(other.self_->clone()) {}
  AnyOptimizer(AnyOptimizer&&) noexcept = default;
  AnyOptimizer& operator=(AnyOptimizer other) noexcept {
    self_ = std::move(other.self_);
    return *this;
  }
  ~AnyOptimizer() = default;

  void step(Eigen::Ref<Vector> x, const Eigen::Ref<const Vector>& g) { self_->step(x, g); }
  descent::StepOutcome advance(const Vector& x, const Vector& g, Vector& next, double loss = 0) {
    return self_->advance(x, g, next, loss);
  }
  /// optimizer = other, for optimizers of one type.
  void assign(const AnyOptimizer& other) { self_->assign(*other.self_); }
  void reset() { self_->reset(); }
  std::int64_t steps() const { return self_->steps(); }
  double learning_rate() const { return self_->learning_rate(); }
  void set_learning_rate(descent::Schedule rate) { self_->set_learning_rate(std::move(rate)); }
  void scale_learning_rate(double factor) { self_->scale_learning_rate(factor); }
  Real gradient_limit() const { return self_->gradient_limit(); }
  std::size_t slot_bytes() const { return self_->slot_bytes(); }
  std::size_t passes() const { return self_->passes(); }

  /// state(), and restore(state).
  std::any save() const { return self_->save(); }
  void restore(const std::any& state) { self_->restore(state); }
  /// The counter set to a number of steps, by restore().
  void set_steps(std::int64_t steps) { self_->set_steps(steps); }
  /// The slots, one after the other.
  std::vector<Vector> slots() const { return self_->slots(); }
  /// Everything that the state holds, byte by byte.
  std::string bits() const { return self_->bits(); }
  /// state() == state(), for optimizers of one type.
  bool operator==(const AnyOptimizer& other) const { return self_->equals(*other.self_); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::unique_ptr<Interface> clone() const = 0;
    virtual void step(Eigen::Ref<Vector> x, const Eigen::Ref<const Vector>& g) = 0;
    virtual descent::StepOutcome advance(const Vector& x, const Vector& g, Vector& next,
                                         double loss) = 0;
    virtual void assign(const Interface& other) = 0;
    virtual void reset() = 0;
    virtual std::int64_t steps() const = 0;
    virtual double learning_rate() const = 0;
    virtual void set_learning_rate(descent::Schedule rate) = 0;
    virtual void scale_learning_rate(double factor) = 0;
    virtual Real gradient_limit() const = 0;
    virtual std::size_t slot_bytes() const = 0;
    virtual std::size_t passes() const = 0;
    virtual std::any save() const = 0;
    virtual void restore(const std::any& state) = 0;
    virtual void set_steps(std::int64_t steps) = 0;
    virtual std::vector<Vector> slots() const = 0;
    virtual std::string bits() const = 0;
    virtual bool equals(const Interface& other) const = 0;
  };

  template <class O>
  struct Holder final : Interface {
    using State = typename O::State;
    O optimizer;

    explicit Holder(O o) : optimizer(std::move(o)) {}
    std::unique_ptr<Interface> clone() const override { return std::make_unique<Holder>(*this); }
    void step(Eigen::Ref<Vector> x, const Eigen::Ref<const Vector>& g) override {
      optimizer.step(x, g);
    }
    descent::StepOutcome advance(const Vector& x, const Vector& g, Vector& next,
                                 double loss) override {
      return optimizer.advance(x, g, next, loss);
    }
    void assign(const Interface& other) override {
      optimizer = static_cast<const Holder&>(other).optimizer;
    }
    void reset() override { optimizer.reset(); }
    std::int64_t steps() const override { return optimizer.steps(); }
    double learning_rate() const override { return optimizer.learning_rate(); }
    void set_learning_rate(descent::Schedule rate) override {
      optimizer.set_learning_rate(std::move(rate));
    }
    void scale_learning_rate(double factor) override { optimizer.scale_learning_rate(factor); }
    Real gradient_limit() const override { return optimizer.gradient_limit(); }
    std::size_t slot_bytes() const override { return optimizer.slot_bytes(); }
    std::size_t passes() const override { return O::passes; }
    std::any save() const override { return optimizer.state(); }
    void restore(const std::any& state) override {
      optimizer.restore(std::any_cast<const State&>(state));
    }
    void set_steps(std::int64_t steps) override {
      State state = optimizer.state();
      state.steps = steps;
      optimizer.restore(state);
    }
    std::vector<Vector> slots() const override {
      std::vector<Vector> result;
      const auto& slots = optimizer.state().slots;
      for (std::size_t k = 0; k < slots.count(); ++k)
        result.emplace_back(Eigen::Map<const Vector>(slots.column(k), slots.size()));
      return result;
    }
    std::string bits() const override {
      const State& state = optimizer.state();
      std::string all;
      append_bits(all, state.steps);
      append_bits(all, state.rate_scale);
      append_bits(all, state.rows);
      append_bits(all, state.cols);
      for (const Vector& slot : slots()) append_bits(all, slot);
      for (const double number : state.numbers) append_bits(all, number);
      return all;
    }
    bool equals(const Interface& other) const override {
      return optimizer.state() == static_cast<const Holder&>(other).optimizer.state();
    }
  };

  std::unique_ptr<Interface> self_;
};

/// A row of the table, with its type forgotten.
struct OptimizerRow {
  std::string name, optimizer;
  std::size_t slots;
  bool decays;
  std::function<AnyOptimizer<double>()> make_double;
  std::function<AnyOptimizer<float>()> make_float;

  template <class Real>
  AnyOptimizer<Real> make() const {
    if constexpr (std::is_same_v<Real, double>) {
      return make_double();
    } else {
      return make_float();
    }
  }
};

/// The rows of a part of the table: rows_of([](const auto& visit) { visit_spine(visit); }).
template <class VisitPart>
std::vector<OptimizerRow> rows_of(const VisitPart& visit_part) {
  std::vector<OptimizerRow> rows;
  visit_part([&](const auto& t) {
    rows.push_back({t.name, t.optimizer, t.slots, t.decays(),
                    [t] { return AnyOptimizer<double>(t.template make<Eigen::VectorXd>()); },
                    [t] { return AnyOptimizer<float>(t.template make<Eigen::VectorXf>()); }});
  });
  return rows;
}

/// The whole table (optimizers.cpp).
const std::vector<OptimizerRow>& optimizer_rows();
/// Its parts, each compiled once, in a file of its own (optimizers/).
std::vector<OptimizerRow> spine_rows();
std::vector<OptimizerRow> squares_rows();
std::vector<OptimizerRow> moments_rows();
std::vector<OptimizerRow> signs_rows();
std::vector<OptimizerRow> averages_rows();
/// No part of the whole table: those that look at sums over all parameters, for optimizer/sums.test.cpp.
std::vector<OptimizerRow> sums_rows();

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_ANY_OPTIMIZER_HPP
