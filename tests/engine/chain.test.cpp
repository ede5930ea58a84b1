// Chains: their plans, and every kind of transform at every place of one, against plain Eigen code.
#include <descent/engine/chain.hpp>

#include "support/allocations.hpp"
#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/stepper.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/skip_if_not_finite.hpp>
#include <descent/transform/trace.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// ---- transforms of a user's own -----------------------------------------------------------------

// A step without a learning rate.
struct Negate {
  static constexpr descent::Stage yields = descent::Stage::step;
  template <class Real>
  auto kernel(const descent::StepInfo&) const {
    return [](auto& update, const auto&) { update = -update; };
  }
};

// The least that a transform can be.
struct MySign {
  template <class Real>
  auto kernel(const StepInfo&) const {
    return [](auto& update, const auto&) { update = sign(update); };
  }
};

// Whole: momentum on a matrix, whose columns are then made orthonormal (Gram and Schmidt).
struct Orthogonalize {
  using State = MatrixXd;
  double momentum = 0.5;

  State init(Index rows, Index cols) const { return MatrixXd::Zero(rows, cols); }
  template <class Update, class Parameter>
  void apply(Update&& update, const Parameter&, State& m, const StepInfo&) const {
    m = momentum * m + update.template cast<double>();
    MatrixXd q = m;
    for (Index j = 0; j < q.cols(); ++j) {
      for (Index k = 0; k < j; ++k) q.col(j) -= q.col(k).dot(q.col(j)) * q.col(k);
      if (q.col(j).norm() > 0) q.col(j).normalize();
    }
    update = q.template cast<typename std::remove_reference_t<Update>::Scalar>();
  }
};

// Whole, behind the rate: x + update is kept from being negative.
struct Project {
  static constexpr Stage accepts = Stage::step;
  struct State {
    std::int64_t calls = 0;
    friend bool operator==(const State&, const State&) = default;
  };
  State init(Index, Index) const { return {}; }
  template <class Update, class Parameter>
  void apply(Update&& update, const Parameter& x, State& state, const StepInfo&) const {
    update = update.cwiseMax(-x);
    ++state.calls;
  }
};

// Of the point: whatever the step, all parameters are 0.1.
struct Hold {
  static constexpr Stage accepts = Stage::point;
  template <class Real>
  auto kernel(const StepInfo&) const {
    return [](auto& x, const auto&) { x = std::remove_reference_t<decltype(x)>(Real(0.1)); };
  }
};
struct WholeHold {
  static constexpr Stage accepts = Stage::point;
  using State = NoState;
  State init(Index, Index) const { return {}; }
  template <class Point, class Before>
  void apply(Point&& x, const Before&, State&, const StepInfo&) const {
    x.setConstant(0.1);
  }
};
// Of the point, reducing: the parameters get norm 1.
struct LargestNorm {
  static constexpr Stage accepts = Stage::point;
  static constexpr std::array reduces{Reduce::norm};
  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& x, const auto&) { return std::array{x}; };
  }
  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto scale = static_cast<Real>(1 / step.sums[0]);
    return [=](auto& x, const auto&) { x = scale * x; };
  }
};

// Reducing: the update gets the norm of the parameters (LARS's and LAMB's trust ratio).
struct TrustRatio {
  static constexpr std::array reduces{Reduce::norm, Reduce::norm};
  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto& update, const auto& parameter) { return std::array{parameter, update}; };
  }
  template <class Real>
  auto kernel(const StepInfo& step) const {
    const double ratio = step.sums[0] > 0 && step.sums[1] > 0 ? step.sums[0] / step.sums[1] : 1;
    const auto scale = static_cast<Real>(ratio);
    return [=](auto& update, const auto&) { update = scale * update; };
  }
};

// Reducing with slots that its statistic reads: the update less the mean of its own running average.
struct Center {
  static constexpr std::size_t slots = 1;
  static constexpr std::array reduces{Reduce::sum};
  template <class Real>
  auto statistic(const StepInfo&) const {
    return [](const auto&, const auto&, const auto& average) { return std::array{average}; };
  }
  template <class Real>
  auto kernel(const StepInfo& step) const {
    const auto mean = static_cast<Real>(step.sums[0] / static_cast<double>(step.size));
    const Real half(0.5);
    return [=](auto& update, const auto&, auto& average) {
      average = half * (average + update);
      update = update - mean;
    };
  }
};

// Numbers of its own, slots that do not begin at zero, and the loss.
struct Remember {
  static constexpr std::size_t slots = 2, numbers = 2;
  double initial(std::size_t slot) const { return slot == 0 ? 0.5 : -2; }
  template <class Real>
  auto kernel(const StepInfo& step) const {
    step.numbers[0] += step.learning_rate;
    step.numbers[1] = step.loss;
    const auto gain = static_cast<Real>(step.numbers[0]);
    return [=](auto& update, const auto&, auto& a, auto& b) {
      update = gain * update + (a + b);
      a = a + 1;
      b = b + a;
    };
  }
};

// ---- plain Eigen code ---------------------------------------------------------------------------

template <class Optimizer, class Plain>
void check_against(Optimizer optimizer, const Plain& plain, double tolerance = 1e-13) {
  Numbers numbers(5);
  MatrixXd x(4, 3), g(4, 3);
  numbers.fill(x);
  MatrixXd y = x;
  double worst = 0;
  for (int t = 1; t <= 30; ++t) {
    numbers.fill(g);
    optimizer.step(x, g);
    plain(t, y, g);
    worst = std::max(worst, (x - y).cwiseAbs().maxCoeff());
  }
  CAPTURE(worst);
  CHECK(worst <= tolerance);
  CHECK((x - y).allFinite());
  CHECK(optimizer.steps() == 30);
}

template <class... Ts>
auto of_matrix(const Ts&... transforms) {
  return chain<MatrixXd>(transforms...);
}

MatrixXd orthogonal(MatrixXd& m, const MatrixXd& g) {
  MatrixXd update = g;
  Orthogonalize{}.apply(update, g, m, {});
  return update;
}

}  // namespace

TEST_CASE("a whole transform of the step may be followed by one of the point", "[chain]") {
  auto optimizer = of_matrix(scale_by_learning_rate(0.5), Project(), LargestNorm());
  MatrixXd x = MatrixXd::Constant(3, 2, 0.5), g = MatrixXd::Random(3, 2), next = x;
  g(0, 0) = 4;  // x would be −1.5
  const MatrixXd moved = (x - 0.5 * g).cwiseMax(0), expected = moved / moved.norm();
  optimizer.step(x, g);
  CHECK(x.isApprox(expected, 1e-14));
  CHECK(x(0, 0) == 0);
}

TEST_CASE("a plan makes as few passes as it can", "[chain]") {
  const auto passes = [](const auto& optimizer) { return optimizer.passes; };
  const auto rate = scale_by_learning_rate(1);
  CHECK(passes(chain(rate)) == 1);
  CHECK(passes(chain(MySign{}, rate)) == 1);
  CHECK(passes(chain(scale_by_adam(), add_decayed_weights(0.1), rate)) == 1);
  CHECK(passes(chain(add_decayed_weights(0.1), trace({}), MySign{}, rate)) == 1);
  CHECK(passes(chain(clip_by_global_norm(1), scale_by_adam(), add_decayed_weights(1), rate)) == 2);
  CHECK(passes(chain(skip_if_not_finite(), clip_by_global_norm(1), scale_by_adam(), rate)) == 2);
  CHECK(passes(chain(clip_by_global_norm(1), clip_by_global_norm(2), rate)) == 3);
  CHECK(passes(chain(scale_by_adam(), TrustRatio{}, rate)) == 2);
  CHECK(passes(chain(clip_by_global_norm(1), scale_by_adam(), TrustRatio{}, rate)) == 3);
  CHECK(passes(chain(TrustRatio{}, Center{}, rate)) == 3);
  CHECK(passes(chain(Orthogonalize{}, rate)) == 2);
  CHECK(passes(chain(trace({}), Orthogonalize{}, rate)) == 3);
  CHECK(passes(chain(Orthogonalize{}, clip_by_global_norm(1), rate)) == 3);
  CHECK(passes(chain(rate, Project{})) == 2);
  CHECK(passes(chain(Orthogonalize{}, Orthogonalize{}, rate, Project{})) == 4);
  CHECK(passes(chain(scale_by_adam(), rate, Hold{})) == 1);
  CHECK(passes(chain(Orthogonalize{}, rate, Hold{}, Hold{})) == 2);
}

TEST_CASE("a transform of the point sets the new parameters, to the bit", "[chain]") {
  // x + (h - x) is not h: one that goes through the step would not do.
  const auto check = [](auto optimizer) {
    VectorXd x = Numbers(1).vector<double>(37), next(37);
    for (int t = 0; t < 3; ++t) {
      const VectorXd g = Numbers(2).vector<double>(37), before = x;
      optimizer.step(x, g);
      CHECK(same_bits(x, VectorXd::Constant(37, 0.1)));
      const StepOutcome outcome = optimizer.advance(before, g, next, 0);
      CHECK(outcome.taken);
      CHECK(outcome.finite);
      CHECK(same_bits(next, x));
    }
  };
  const auto rate = scale_by_learning_rate(0.3);
  check(chain(rate, Hold{}));
  check(chain(clip_by_global_norm(1), scale_by_adam(), rate, Hold{}));
  check(chain(rate, Hold{}, Hold{}));
  check(chain(rate, Project{}, Hold{}));      // behind a whole transform of the step
  check(chain(rate, WholeHold{}));            // a whole one itself, last
  check(chain(rate, WholeHold{}, Hold{}));    // and in front of another
  check(chain(rate, LargestNorm{}, Hold{}));  // reducing

  // What a transform of the point sees is x + step, and its statistic as well.
  auto seen = chain(rate, LargestNorm{});
  static_assert(decltype(seen)::passes == 2);
  VectorXd x = VectorXd::Ones(5);
  seen.step(x, VectorXd::Constant(5, 10).eval());  // 1 - 3 = -2, of norm 2 sqrt(5)
  CHECK(x.isApprox(VectorXd::Constant(5, -2 / (2 * std::sqrt(5.0)))));
}

TEST_CASE("a transform of ten lines that declares nothing", "[chain]") {
  check_against(
      of_matrix(MySign{}, scale_by_learning_rate(0.125)),
      [](int, MatrixXd& x, const MatrixXd& g) { x -= 0.125 * g.cwiseSign(); }, 0);
  auto in_float = chain<Eigen::VectorXf>(MySign{}, scale_by_learning_rate(0.5));
  Eigen::VectorXf x = Eigen::VectorXf::Zero(5);
  in_float.step(x, Eigen::VectorXf{{-3, 0, 1e-30f, -0.0f, 1e30f}});
  CHECK((x.array() == Eigen::ArrayXf{{0.5, 0, -0.5, 0, -0.5}}).all());
}

TEST_CASE("a chain whose step has no rate says 0", "[chain]") {
  auto optimizer = chain(Negate{});
  VectorXd x = VectorXd::Ones(3);
  optimizer.step(x, VectorXd::Ones(3).eval());
  CHECK(x == VectorXd::Zero(3));
  CHECK(optimizer.learning_rate() == 0);
}

TEST_CASE("a whole transform at the head, in the middle and behind the rate", "[chain]") {
  const auto rate = scale_by_learning_rate(0.1);
  MatrixXd m = MatrixXd::Zero(4, 3), b = m;
  check_against(of_matrix(Orthogonalize{}, rate),
                [&](int, MatrixXd& x, const MatrixXd& g) { x -= 0.1 * orthogonal(m, g); });
  m.setZero();
  check_against(
      of_matrix(trace({.momentum = 0.5}), Orthogonalize{}, add_decayed_weights(0.25), rate),
      [&](int, MatrixXd& x, const MatrixXd& g) {
        b = 0.5 * b + g;
        x -= 0.1 * (orthogonal(m, b) + 0.25 * x);
      });
  check_against(of_matrix(rate, Project{}), [](int, MatrixXd& x, const MatrixXd& g) {
    x = (x + (-0.1 * g).cwiseMax(-x)).eval();
  });
  m.setZero();
  check_against(of_matrix(Orthogonalize{}, rate, Project{}),
                [&](int, MatrixXd& x, const MatrixXd& g) {
                  const MatrixXd update = -0.1 * orthogonal(m, g);
                  x = (x + update.cwiseMax(-x)).eval();
                });
  // Two in a row, and one that feeds a reducing transform.
  m.setZero();
  MatrixXd n = m;
  check_against(
      of_matrix(Orthogonalize{}, Orthogonalize{}, rate),
      [&](int, MatrixXd& x, const MatrixXd& g) { x -= 0.1 * orthogonal(n, orthogonal(m, g)); });
  m.setZero();
  check_against(of_matrix(Orthogonalize{}, clip_by_global_norm(0.5), rate),
                [&](int, MatrixXd& x, const MatrixXd& g) {
                  const MatrixXd update = orthogonal(m, g);
                  x -= 0.1 * std::min(1.0, 0.5 / (update.norm() + 1e-6)) * update;
                });
  m.setZero();
  check_against(of_matrix(clip_by_global_norm(0.5), Orthogonalize{}, rate),
                [&](int, MatrixXd& x, const MatrixXd& g) {
                  x -= 0.1 * orthogonal(m, std::min(1.0, 0.5 / (g.norm() + 1e-6)) * g);
                });
}

TEST_CASE("a whole transform sees the shape of the parameters", "[chain]") {
  // Row-major parameters appear transposed; so do their columns and rows.
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  MatrixXd x(4, 3), g(4, 3);
  Numbers numbers(5);
  numbers.fill(x);
  numbers.fill(g);
  RowMajor y = x.transpose(), h = g.transpose();
  auto columns = chain<MatrixXd>(Orthogonalize{}, scale_by_learning_rate(0.1));
  auto rows = chain<RowMajor>(Orthogonalize{}, scale_by_learning_rate(0.1));
  auto fixed = chain<Eigen::Matrix<double, 4, 3>>(Orthogonalize{}, scale_by_learning_rate(0.1));
  Eigen::Matrix<double, 4, 3> z = x, f = g;
  for (int t = 0; t < 5; ++t) {
    columns.step(x, g);
    rows.step(y, h);
    fixed.step(z, f);
  }
  CHECK(same_bits(x, MatrixXd(y.transpose())));
  CHECK(same_bits(x, z));
  // Another shape of the same size is another problem.
  MatrixXd other = MatrixXd::Ones(3, 4);
  CHECK_THROWS_AS(columns.step(other, other.eval()), std::invalid_argument);
  CHECK((other.array() == 1).all());
  columns.reset();
  columns.step(other, other.eval());
  CHECK(columns.steps() == 1);
}

TEST_CASE("the state of a whole transform is copied, compared and restored", "[chain]") {
  auto optimizer = of_matrix(Orthogonalize{}, scale_by_learning_rate(0.1), Project{});
  MatrixXd x = MatrixXd::Ones(4, 3), g(4, 3);
  Numbers numbers(5);
  std::vector<MatrixXd> gradients;
  for (int t = 0; t < 10; ++t) {
    numbers.fill(g);
    gradients.push_back(g);
  }
  for (int t = 0; t < 5; ++t) optimizer.step(x, gradients[std::size_t(t)]);
  const auto state = optimizer.state();
  const MatrixXd at = x;
  CHECK(std::get<2>(state.matrices).calls == 5);
  for (int t = 5; t < 10; ++t) optimizer.step(x, gradients[std::size_t(t)]);
  CHECK_FALSE(optimizer.state() == state);
  auto resumed = of_matrix(Orthogonalize{}, scale_by_learning_rate(0.1), Project{});
  resumed.restore(state);
  CHECK(resumed.state() == state);
  MatrixXd y = at;
  for (int t = 5; t < 10; ++t) resumed.step(y, gradients[std::size_t(t)]);
  CHECK(same_bits(x, y));
  CHECK(resumed.state() == optimizer.state());
}

TEST_CASE("a reducing transform in mid-chain, its sums collected on the way", "[chain]") {
  MatrixXd m = MatrixXd::Zero(4, 3), v = m;
  const auto adam = [&](int t, const MatrixXd& g) -> MatrixXd {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g.cwiseAbs2();
    const double c1 = 1 - std::pow(0.9, t), c2 = 1 - std::pow(0.999, t);
    return (m.array() / c1 / ((v.array() / c2).sqrt() + 1e-8)).matrix();
  };
  check_against(
      of_matrix(scale_by_adam(), add_decayed_weights(0.01), TrustRatio{},
                scale_by_learning_rate(0.01)),
      [&](int t, MatrixXd& x, const MatrixXd& g) {
        const MatrixXd update = adam(t, g) + 0.01 * x;
        x -= 0.01 * x.norm() / update.norm() * update;
      },
      1e-12);
  check_against(of_matrix(clip_by_global_norm(0.5), trace({.momentum = 0}), TrustRatio{},
                          scale_by_learning_rate(0.01)),
                [&](int, MatrixXd& x, const MatrixXd& g) {
                  const MatrixXd update = std::min(1.0, 0.5 / (g.norm() + 1e-6)) * g;
                  x -= 0.01 * x.norm() / update.norm() * update;
                });
  // Two that need sums, one of the slots of its own.
  MatrixXd average = MatrixXd::Zero(4, 3);
  check_against(of_matrix(Center{}, TrustRatio{}, scale_by_learning_rate(0.01)),
                [&](int, MatrixXd& x, const MatrixXd& g) {
                  const MatrixXd update = (g.array() - average.mean()).matrix();
                  average = 0.5 * (average + g);
                  x -= 0.01 * x.norm() / update.norm() * update;
                });
  average.setZero();
  check_against(of_matrix(add_decayed_weights(0.1), Center{}, scale_by_learning_rate(0.01)),
                [&](int, MatrixXd& x, const MatrixXd& g) {
                  const MatrixXd decayed = g + 0.1 * x;
                  x -= 0.01 * (decayed.array() - average.mean()).matrix();
                  average = 0.5 * (average + decayed);
                });
}

TEST_CASE("sums are right for every size, and for large and small numbers", "[chain]") {
  const auto check = [](auto real, double scale) {
    using Real = decltype(real);
    using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
    for (Index n = 1; n <= 70; ++n) {
      auto head = chain<V>(TrustRatio{}, scale_by_learning_rate(1));
      auto middle = chain<V>(trace({.momentum = 0}), TrustRatio{}, scale_by_learning_rate(1));
      const V start = Numbers(std::uint64_t(n)).vector<Real>(n).array() + Real(0.25);
      const V g = (Numbers(7).vector<Real>(n).array() + Real(0.25)) * Real(scale);
      V x = start, y = start;
      head.step(x, g);
      middle.step(y, g);
      const Eigen::VectorXd gd = g.template cast<double>(), sd = start.template cast<double>();
      const Eigen::VectorXd expected = sd - gd * (sd.stableNorm() / gd.stableNorm());
      const double tolerance = 16 * double(std::numeric_limits<Real>::epsilon());
      CAPTURE(n, sizeof real, scale);
      CHECK((x.template cast<double>() - expected).cwiseAbs().maxCoeff() <= tolerance);
      CHECK((y.template cast<double>() - expected).cwiseAbs().maxCoeff() <= tolerance);
    }
  };
  for (const double scale : {1.0, 1e-150, 1e-170, 1e-290, 1e150, 1e170, 1e290}) check(0.0, scale);
  for (const double scale : {1.0, 1e-19, 1e-30, 1e18, 1e20, 1e30}) check(0.0f, scale);
}

TEST_CASE("numbers of its own, slots that begin elsewhere, and the loss", "[chain]") {
  auto optimizer = chain(trace({.momentum = 0.5}), Remember{},
                         scale_by_learning_rate([](std::int64_t k) { return k < 3 ? 0.5 : 0.25; }));
  VectorXd x = VectorXd::Zero(19), y = x, b = x;
  double a = 0.5, c = -2, sum = 0;
  const VectorXd g = Numbers(1).vector<double>(19);
  for (int t = 0; t < 8; ++t) {
    if (t == 7) {
      optimizer.step(x, g);
    } else {
      optimizer.step(x, g, 10.0 + t);
    }
    const double rate = t < 3 ? 0.5 : 0.25;
    sum += rate;
    b = 0.5 * b + g;
    y -= rate * (sum * b.array() + (a + c)).matrix();
    a += 1;
    c += a;
    CHECK(optimizer.state().numbers[0] == sum);
    if (t < 7) CHECK(optimizer.state().numbers[1] == 10.0 + t);
    CHECK(optimizer.slot<1>(0)[18] == a);
    CHECK(optimizer.slot<1>(1)[18] == c);
  }
  CHECK(std::isnan(optimizer.state().numbers[1]));  // the loss, where nobody knew it
  CHECK((x - y).cwiseAbs().maxCoeff() <= 1e-14);
  CHECK(optimizer.slot<1>(2).size() == 0);

  // reset() brings back what they begin with, restore() what they were.
  const auto state = optimizer.state();
  optimizer.reset();
  CHECK(optimizer.state().numbers[0] == 0);
  optimizer.step(x, g);
  CHECK(optimizer.slot<1>(0)[0] == 1.5);
  CHECK(optimizer.slot<1>(1)[0] == -0.5);
  optimizer.restore(state);
  CHECK(optimizer.state().numbers[0] == sum);
  CHECK(optimizer.slot<1>(0)[18] == a);
}

TEST_CASE("a gate behind elementwise transforms skips the whole step", "[chain]") {
  auto optimizer = chain(add_decayed_weights(0.5), skip_if_not_finite(), trace({.momentum = 0.5}),
                         scale_by_learning_rate(0.5));
  VectorXd x = VectorXd::Ones(5), g = x, next(5);
  optimizer.step(x, g);
  const auto state = optimizer.state();
  const VectorXd before = x;
  g[4] = std::numeric_limits<double>::quiet_NaN();
  optimizer.step(x, g);
  CHECK(same_bits(x, before));
  CHECK(optimizer.state() == state);
  const auto outcome = optimizer.advance(x, g, next, 0);
  CHECK_FALSE(outcome.taken);
  CHECK(same_bits(next, before));
}

TEST_CASE("chains of several passes allocate at the first step alone", "[chain][allocation]") {
  auto optimizer =
      chain(clip_by_global_norm(1), scale_by_adam(), TrustRatio{}, scale_by_learning_rate(0.01));
  VectorXd x = VectorXd::Ones(100);
  const VectorXd g = x;
  optimizer.step(x, g);
  CHECK(descent_test::allocated_by([&] {
          for (int t = 0; t < 50; ++t) optimizer.step(x, g);
        }) == descent_test::Allocations{});
  auto fixed = chain<Eigen::Vector3d>(clip_by_global_norm(1), scale_by_adam(), TrustRatio{},
                                      scale_by_learning_rate(0.01));
  Eigen::Vector3d y = Eigen::Vector3d::Ones();
  const Eigen::Vector3d h = y;
  CHECK(descent_test::allocated_by([&] { fixed.step(y, h); }) == descent_test::Allocations{});
}
