#include <descent/objective/callable.hpp>

#include <descent/core/objective.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>
#include <functional>
#include <memory>

using namespace descent;
using Eigen::Vector2d;
using Eigen::VectorXd;

namespace {
double square(const VectorXd& x, VectorXd& g) {
  g = 2 * x;
  return x.squaredNorm();
}
}  // namespace

TEST_CASE("callables of any kind become objectives") {
  const auto check = [](const auto& f) {
    static_assert(Objective<std::remove_cvref_t<decltype(f)>, VectorXd>);
    VectorXd g(2);
    CHECK(f.loss_and_gradient(VectorXd{{1.0, 2.0}}, g) == 5);
    CHECK(g == VectorXd{{2.0, 4.0}});
  };
  check(objective(square));
  check(objective(&square));
  check(objective([](const VectorXd& x, VectorXd& g) { return square(x, g); }));
  const std::function<double(const VectorXd&, VectorXd&)> function = square;
  check(objective(function));
  check(objective(std::function<double(const VectorXd&, VectorXd&)>(square)));
  check(objective([](const auto& x, auto& g) {
    g = 2 * x;
    return static_cast<float>(x.squaredNorm());
  }));
}

TEST_CASE("a callable for one type of parameters is an objective for that type alone") {
  using F = decltype(objective(square));
  static_assert(Objective<F, VectorXd> && !Objective<F, Vector2d>);
  static_assert(!Objective<F, Eigen::VectorXf>);
  using NoLoss = decltype(objective([](const VectorXd&, VectorXd&) {}));
  static_assert(!Objective<NoLoss, VectorXd>);
  using NotConst = decltype(objective([n = 0](const VectorXd&, VectorXd&) mutable { return n; }));
  static_assert(!Objective<NotConst, VectorXd>);
}

TEST_CASE("a named callable is referred to, a temporary is owned") {
  struct Scaled {
    double factor;
    double operator()(const VectorXd& x, VectorXd& g) const {
      g = factor * x;
      return factor;
    }
  };
  Scaled scaled{2};
  const auto refers = objective(scaled);
  const auto owns = objective(Scaled(scaled));
  scaled.factor = 5;
  VectorXd x = VectorXd::Ones(1), g(1);
  CHECK(refers.loss_and_gradient(x, g) == 5);
  CHECK(owns.loss_and_gradient(x, g) == 2);

  auto owner = std::make_unique<double>(7);
  const auto moved =
      objective([owner = std::move(owner)](const VectorXd&, VectorXd&) { return *owner; });
  CHECK(moved.loss_and_gradient(x, g) == 7);
}
