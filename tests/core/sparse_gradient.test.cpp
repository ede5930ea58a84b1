// Views of sparse gradients, and what becomes of indices that do not ascend.
#include "support/catch.hpp"

#include <descent/core/sparse_gradient.hpp>

#include <Eigen/SparseCore>

#include <stdexcept>
#include <type_traits>
#include <vector>

using namespace descent;

namespace {

template <class Real, class I>
void check(SparseGradient<Real, I> g, const std::vector<I>& indices,
           const std::vector<Real>& values) {
  CHECK(std::vector<I>(g.indices.begin(), g.indices.end()) == indices);
  CHECK(std::vector<Real>(g.values.begin(), g.values.end()) == values);
}

}  // namespace

TEST_CASE("a sparse gradient is a view of what names coordinates", "[sparse]") {
  const std::vector<int> indices{4, 1};
  const Eigen::Vector2f values(0.5f, -2);
  const SparseGradient view(indices, values);
  static_assert(std::is_same_v<decltype(view), const SparseGradient<float, int>>);
  CHECK(view.indices.data() == indices.data());
  CHECK(view.values.data() == values.data());
  check(view, {4, 1}, {0.5f, -2.0f});

  Eigen::SparseVector<double> vector(9);
  vector.insert(7) = 3;
  vector.insert(2) = -1;
  check(SparseGradient(vector), {2, 7}, {-1.0, 3.0});

  // A row begins where those before it end, with room between them or without.
  Eigen::SparseMatrix<double, Eigen::RowMajor> matrix(3, 5);
  matrix.reserve(Eigen::Vector3i::Constant(3));
  matrix.insert(0, 3) = 1;
  matrix.insert(1, 4) = 2;
  matrix.insert(1, 0) = 3;
  for (const bool compressed : {false, true}) {
    if (compressed) matrix.makeCompressed();
    check(SparseGradient(matrix.row(1)), {0, 4}, {3.0, 2.0});
    check(SparseGradient(matrix.row(2)), {}, {});
  }
  static_assert(!NamesCoordinates<Eigen::VectorXd>);
  static_assert(!NamesCoordinates<Eigen::SparseMatrix<double>>);
}

TEST_CASE("a sparse gradient has as many values as indices", "[sparse]") {
  const std::vector<int> indices{4, 1};
  const std::vector<double> values{1};
  CHECK_THROWS_WITH(SparseGradient(indices, values),
                    "SparseGradient: values must be one value an index, 2, got 1 values");
}

TEST_CASE("indices that ascend are taken as they are, others are sorted and summed", "[sparse]") {
  const std::vector<Eigen::Index> ascending{0, 3, 5}, mixed{5, 0, 3, 5, 0, 5}, again{1, 1};
  const std::vector<float> three{1, 2, 3}, two{0.25f, 0.5f};
  const Coalesced same(SparseGradient(ascending, three), 6);
  CHECK(same.view().values.data() == three.data());
  // Summed from left to right: 1e8 swallows a 1, and two of them in front of it less.
  const std::vector<float> values{1, 7, -2, 1e8f, 8, -1e8f};
  const Coalesced sorted(SparseGradient(mixed, values), 6);
  check<float, Eigen::Index>(sorted.view(), {0, 3, 5}, {15, -2, (1.0f + 1e8f) - 1e8f});
  const Coalesced pair(SparseGradient(again, two), 2);
  check<float, Eigen::Index>(pair.view(), {1}, {0.75f});
  const std::vector<Eigen::Index> none;
  const std::vector<float> nothing;
  const Coalesced empty(SparseGradient(none, nothing), 0);
  CHECK(empty.view().indices.empty());
}

TEST_CASE("an index outside of the parameters is refused by name", "[sparse]") {
  const std::vector<double> values{1, 2};
  const auto coalesced = [&](const std::vector<int>& indices) {
    const Coalesced c(SparseGradient(indices, values), 6);
  };
  CHECK_NOTHROW(coalesced({5, 0}));
  CHECK_THROWS_AS(coalesced({0, 6}), std::invalid_argument);
  CHECK_THROWS_WITH(coalesced({0, 6}),
                    "step: index 1 of the sparse gradient must be in [0, 6), got 6");
  CHECK_THROWS_WITH(coalesced({-1, 0}),
                    "step: index 0 of the sparse gradient must be in [0, 6), got -1");
}
