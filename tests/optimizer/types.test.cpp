// One optimizer, parameters of many types: each row of the table goes through all of them.
#include "support/bits.hpp"
#include "support/catch.hpp"
#include "support/laws.hpp"
#include "support/optimizers.hpp"

#include <Eigen/Core>

#include <string>

using namespace descent_test;

namespace {

template <class Real>
using VectorX = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// Steps a view of the parameters, whatever its type, and returns where it ends.
template <class Real, class O, class X, class G>
VectorX<Real> run_view(O optimizer, const TrialGradients<Real>& gradients, X&& x, G&& g) {
  Eigen::Map<VectorX<Real>>(x.data(), x.size()) = gradients.start;
  for (int t = 0; t < 12; ++t) {
    Eigen::Map<VectorX<Real>>(g.data(), g.size()) =
        gradients(t, Eigen::Map<const VectorX<Real>>(x.data(), x.size()));
    optimizer.step(x, g);
  }
  return Eigen::Map<const VectorX<Real>>(x.data(), x.size());
}

template <class Real, class T>
void check_types(const T& trial) {
  using namespace Eigen;
  using V = VectorX<Real>;
  using M = Matrix<Real, Dynamic, Dynamic>;
  using R = Matrix<Real, Dynamic, Dynamic, RowMajor>;
  using V6 = Matrix<Real, 6, 1>;
  const TrialGradients<Real> gradients(6);
  const auto dynamic = trial.template make<V>();
  V x(6), g(6);
  const V expected = run_view<Real>(dynamic, gradients, x, g);
  const auto same = [&](const V& y) { return same_bits(expected, y); };
  CAPTURE(trial.name, sizeof(Real));

  V6 x6, g6;
  CHECK(same(run_view<Real>(trial.template make<V6>(), gradients, x6, g6)));
  CHECK(same(run_view<Real>(dynamic, gradients, x6, g6)));
  Array<Real, Dynamic, 1> a(6);
  CHECK(same(run_view<Real>(dynamic, gradients, a, g)));
  Matrix<Real, 1, Dynamic> row(6), row_g(6);
  CHECK(same(run_view<Real>(dynamic, gradients, row, row_g)));

  Real memory[2][16];
  CHECK(
      same(run_view<Real>(dynamic, gradients, Map<V>(memory[0] + 3, 6), Map<V>(memory[1] + 1, 6))));
  M many(6, 5), others(6, 4);
  many.setOnes();
  CHECK(same(run_view<Real>(dynamic, gradients, many.col(2), others.col(1))));
  CHECK(((many.array() != 1).count() == 6));
  R rows(4, 6);
  CHECK(same(run_view<Real>(dynamic, gradients, rows.row(1), row_g)));
  V longer(20), shifted(20);
  CHECK(same(run_view<Real>(dynamic, gradients, longer.segment(5, 6), shifted.tail(6))));
  CHECK(same(run_view<Real>(dynamic, gradients, longer.template head<6>(), g6)));
  CHECK(same(run_view<Real>(dynamic, gradients, many.middleCols(1, 1), others.leftCols(1))));
  CHECK(same(run_view<Real>(dynamic, gradients, Ref<V>(x), g)));
  CHECK(same(run_view<Real>(dynamic, gradients, Ref<V, 0, InnerStride<>>(x),
                            Ref<V, 0, InnerStride<>>(g))));

  Matrix<Real, 0, 1> nothing;
  auto none = dynamic;
  none.step(nothing, nothing);
  CHECK(none.steps() == 1);
}

// Optimizers of matrices and of single numbers; what differs from the above does not depend on the scalar.
template <class T>
void check_matrices(const T& trial) {
  using namespace Eigen;
  using R = Matrix<double, Dynamic, Dynamic, RowMajor>;
  const TrialGradients<double> gradients(6);
  VectorXd x(6), g(6);
  const VectorXd expected = run_view<double>(trial.template make<VectorXd>(), gradients, x, g);
  const auto same = [&](const VectorXd& y) { return same_bits(expected, y); };
  CAPTURE(trial.name);
  Matrix<double, 2, 3> x23, g23;
  CHECK(same(run_view<double>(trial.template make<Matrix<double, 2, 3>>(), gradients, x23, g23)));
  MatrixXd m(2, 3), n(2, 3);
  CHECK(same(run_view<double>(trial.template make<MatrixXd>(), gradients, m, n)));
  R r(2, 3), s(2, 3);
  CHECK(same(run_view<double>(trial.template make<R>(), gradients, r, s)));

  Matrix<double, 1, 1> x1(0.5);
  VectorXd y1 = x1;
  auto one = trial.template make<Matrix<double, 1, 1>>();
  auto many_ones = trial.template make<VectorXd>();
  for (int t = 0; t < 12; ++t) {
    one.step(x1, Matrix<double, 1, 1>(0.5 * x1[0]));
    many_ones.step(y1, VectorXd(0.5 * y1));
  }
  CHECK(same_bits(x1, y1));
}

// Strided views, each with what the message must say of it.
template <class T>
void check_strides(const T& trial) {
  using namespace Eigen;
  auto optimizer = trial.template make<VectorXd>();
  VectorXd x = VectorXd::Ones(6), g = VectorXd::Ones(6);
  optimizer.step(x, g);
  const auto state = optimizer.state();
  const auto refused = [&](const char* name, Index inner, const auto& act) {
    MatrixXd big = MatrixXd::Ones(12, 12);
    Matrix<double, Dynamic, Dynamic, RowMajor> rows = big;
    const std::string message = refusal([&] { act(big, rows); });
    CHECK(message.find(std::string("step: ") + name +
                       " must be contiguous in memory (copy it into a vector first), got a view "
                       "with strides " +
                       std::to_string(inner) + " and ") == 0);
    CHECK((big.array() == 1).all());
    CHECK((rows.array() == 1).all());
    CHECK(optimizer.state() == state);
  };
  CAPTURE(trial.name);
  const VectorXd g6 = VectorXd::Ones(6);
  const RowVectorXd t6 = g6.transpose();
  const MatrixXd g23 = MatrixXd::Ones(2, 3);
  VectorXd y = g6;
  refused("x", 12, [&](auto& big, auto&) { optimizer.step(big.row(2).head(6), t6); });
  refused("x", 12, [&](auto&, auto& rows) { optimizer.step(rows.col(2).head(6), g6); });
  refused("x", 2, [&](auto& big, auto&) {
    optimizer.step(Map<VectorXd, 0, InnerStride<2>>(big.data(), 6), g6);
  });
  refused("x", -1, [&](auto& big, auto&) {
    optimizer.step(Map<VectorXd, 0, InnerStride<>>(big.data() + 5, 6, InnerStride<>(-1)), g6);
  });
  refused("x", 1, [&](auto& big, auto&) { optimizer.step(big.block(1, 1, 2, 3), g23); });
  refused("x", 1, [&](auto&, auto& rows) {
    optimizer.step(rows.block(1, 1, 3, 2), Matrix<double, 3, 2, RowMajor>::Ones().eval());
  });
  refused("x", 1, [&](auto& big, auto&) { optimizer.step(big.middleRows(3, 1).leftCols(6), t6); });
  refused("g", 12, [&](auto& big, auto&) { optimizer.step(y.transpose(), big.row(1).head(6)); });
  refused("g", 2, [&](auto& big, auto&) {
    optimizer.step(y, Map<const VectorXd, 0, InnerStride<2>>(big.data(), 6));
  });
  CHECK((y.array() == 1).all());
}

}  // namespace

// The spine goes through all types, as they are the engine's affair; the others through one of fixed size.
TEST_CASE("dynamic, fixed, mapped, column, segment: one trajectory, to the bit", "[law]") {
  visit_spine([](const auto& trial) {
    check_types<double>(trial);
    check_types<float>(trial);
    check_matrices(trial);
  });
}

TEST_CASE("dynamic and fixed: one trajectory of every optimizer, to the bit", "[law]") {
  visit_others([](const auto& trial) {
    const TrialGradients<double> gradients(6);
    Eigen::Matrix<double, 6, 1> x, g;
    CAPTURE(trial.name);
    const Eigen::VectorXd fixed =
        run_view<double>(trial.template make<decltype(x)>(), gradients, x, g);
    for (const OptimizerRow& row : optimizer_rows()) {
      if (row.name != trial.name) continue;
      auto dynamic = row.make<double>();
      CHECK(same_bits(run(dynamic, gradients, 12), fixed));
    }
  });
}

TEST_CASE("one coefficient, one row and none at all are contiguous whatever their strides",
          "[law]") {
  using namespace Eigen;
  MatrixXd x = MatrixXd::Ones(4, 3);
  const auto stepped = [&](auto&& part, const auto& g) {
    descent::GradientDescent<MatrixXd> optimizer({.learning_rate = 0.5});
    optimizer.step(part, g);
    return optimizer.steps() == 1;
  };
  CHECK(stepped(x.topRows(0), MatrixXd(0, 3)));
  CHECK(stepped(x.block(1, 1, 0, 2), MatrixXd(0, 2)));
  CHECK(stepped(x.leftCols(0), MatrixXd(4, 0)));
  CHECK(x == MatrixXd::Ones(4, 3));
  CHECK(stepped(Map<VectorXd, 0, InnerStride<2>>(x.data(), 1), VectorXd::Ones(1).eval()));
  CHECK(x(0, 0) == 0.5);
  CHECK(stepped(x.block(1, 2, 1, 1), MatrixXd::Ones(1, 1).eval()));
  CHECK(x(1, 2) == 0.5);
  MatrixXd row = MatrixXd::Ones(1, 3);
  CHECK(stepped(row.leftCols(2), MatrixXd::Ones(1, 2).eval()));
  CHECK(row == MatrixXd{{0.5, 0.5, 1}});
  CHECK(stepped(Map<VectorXd, 0, InnerStride<>>(row.data(), 0, InnerStride<>(5)), VectorXd(0)));
}

TEST_CASE("a view with strides is refused, and nothing changes", "[law]") {
  visit_spine([](const auto& trial) { check_strides(trial); });
}
