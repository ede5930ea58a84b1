#include <descent/core/stored.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>
#include <type_traits>
#include <utility>

using namespace descent;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {
template <class T>
auto stored(T&& value) {
  return Stored<T&&>(std::forward<T>(value));
}
template <class S>
using Held = std::remove_cvref_t<decltype(std::declval<const S&>().get())>;
}  // namespace

TEST_CASE("an lvalue is referred to") {
  VectorXd v = VectorXd::Ones(3);
  const auto s = stored(v);
  CHECK(&s.get() == &v);
  v[1] = 7;
  CHECK(s.get()[1] == 7);
  const VectorXd fixed = v;
  CHECK(&stored(fixed).get() == &fixed);
  const auto copy = s;
  CHECK(&copy.get() == &v);
  const auto map = Eigen::Map<VectorXd>(v.data(), 2);
  CHECK(&stored(map).get() == &map);
}

TEST_CASE("an rvalue is owned, moved and not copied") {
  VectorXd v = VectorXd::Ones(3);
  const double* data = v.data();
  const auto s = stored(std::move(v));
  CHECK(s.get().data() == data);
  static_assert(std::is_same_v<Held<decltype(s)>, VectorXd>);
  auto copy = s;
  CHECK(copy.get().data() != data);
  CHECK(copy.get() == s.get());
  const auto moved = std::move(copy);
  CHECK(moved.get() == s.get());
}

TEST_CASE("an rvalue that is a view or an expression is kept as a matrix of its own") {
  MatrixXd m = MatrixXd::Random(4, 3);
  const MatrixXd before = m;
  const auto block = stored(m.topRows(2));
  const auto column = stored(m.col(1));
  VectorXd v = VectorXd::Random(6);
  const VectorXd v_before = v;
  const auto segment = stored(v.segment(1, 3));
  const auto head = stored(v.head<2>());
  const auto transposed = stored(m.transpose());
  const auto map = stored(Eigen::Map<MatrixXd>(m.data(), 3, 4));
  const auto ref = stored(Eigen::Ref<MatrixXd>(m));
  const auto sum = stored(m + m);
  const auto product = stored(m.transpose() * m);
  static_assert(std::is_same_v<Held<decltype(block)>, MatrixXd>);
  static_assert(std::is_same_v<Held<decltype(column)>, VectorXd>);
  static_assert(std::is_same_v<Held<decltype(map)>, MatrixXd>);
  static_assert(std::is_same_v<Held<decltype(ref)>, MatrixXd>);
  m.setZero();
  v.setZero();
  CHECK(segment.get() == v_before.segment(1, 3));
  CHECK(head.get() == v_before.head<2>());
  CHECK(transposed.get() == before.transpose());
  CHECK(block.get() == before.topRows(2));
  CHECK(column.get() == before.col(1));
  CHECK(map.get() == before.reshaped(3, 4));
  CHECK(ref.get() == before);
  CHECK(sum.get() == before + before);
  CHECK(product.get() == before.transpose() * before);
}

TEST_CASE("other objects are kept as they are") {
  struct Model {
    int value;
  };
  Model model{3};
  CHECK(&stored(model).get() == &model);
  CHECK(stored(Model{4}).get().value == 4);
  static_assert(std::is_same_v<Held<decltype(stored(Model{4}))>, Model>);
}
