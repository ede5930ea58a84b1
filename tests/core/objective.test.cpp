#include <descent/core/needs.hpp>
#include <descent/core/objective.hpp>
#include <descent/core/optimizer.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>
#include <type_traits>

using namespace descent;
using Eigen::Index;
using Eigen::VectorXd;
using Eigen::VectorXf;

namespace {

struct Apart {
  double loss(const VectorXd&) const;
  void gradient(const VectorXd&, VectorXd&) const;
};
struct Together {
  float loss_and_gradient(const VectorXd&, VectorXd&) const;
};
struct OnlyLoss {
  double loss(const VectorXd&) const;
};
struct OnlyGradient {
  void gradient(const VectorXd&, VectorXd&) const;
};
struct NotConst {
  double loss(const VectorXd&);
  void gradient(const VectorXd&, VectorXd&);
};
struct WithRefs {
  double loss(const Eigen::Ref<const VectorXd>&) const;
  void gradient(const Eigen::Ref<const VectorXd>&, Eigen::Ref<VectorXd>) const;
};
struct Sum : Apart {
  using Apart::gradient;
  Index size() const;
  void gradient(const VectorXd&, Batch, VectorXd&) const;
};
struct SumTogether : Together {
  using Together::loss_and_gradient;
  int size() const;
  double loss_and_gradient(const VectorXd&, Batch, VectorXd&) const;
};
struct SumWithoutSize : Apart {
  using Apart::gradient;
  void gradient(const VectorXd&, Batch, VectorXd&) const;
};
struct SumWithoutBatches : Apart {
  Index size() const;
};

static_assert(Objective<Apart, VectorXd>);
static_assert(Objective<Together, VectorXd>);
static_assert(Objective<WithRefs, VectorXd>);
static_assert(Objective<Sum, VectorXd>);
static_assert(!Objective<OnlyLoss, VectorXd>);
static_assert(!Objective<OnlyGradient, VectorXd>);
static_assert(!Objective<NotConst, VectorXd>);
static_assert(!Objective<Apart, VectorXf>);
static_assert(!Objective<int, VectorXd>);

static_assert(FiniteSumObjective<Sum, VectorXd>);
static_assert(FiniteSumObjective<SumTogether, VectorXd>);
static_assert(!FiniteSumObjective<Apart, VectorXd>);
static_assert(!FiniteSumObjective<SumWithoutSize, VectorXd>);
static_assert(!FiniteSumObjective<SumWithoutBatches, VectorXd>);

// A concept with a sentence can still be asked for.
template <class F>
constexpr int chosen() {
  return 0;
}
template <Objective<VectorXd> F>
constexpr int chosen() {
  return 1;
}
static_assert(chosen<int>() == 0 && chosen<Apart>() == 1);
static_assert(!needs<"anything">);

struct Minimal {
  using Vector = VectorXd;
  void step(VectorXd&, const VectorXd&);
  void reset();
  int steps() const;
  float learning_rate() const;
};
struct Picky : Minimal {
  static constexpr Gradients gradients = Gradients::sampled;
};
static_assert(Optimizer<Minimal> && Optimizer<Picky>);
static_assert(!Optimizer<double> && !Optimizer<Apart>);
static_assert(gradients_of<Minimal> == Gradients::either);
static_assert(gradients_of<Picky> == Gradients::sampled);

}  // namespace

TEST_CASE("the concepts of objectives and optimizers are checked at compile time") {
  SUCCEED();
}
