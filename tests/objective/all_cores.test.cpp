// all_cores: the bits of the model whatever the threads, exceptions of workers, what is passed on.
#include <descent/objective/all_cores.hpp>

#include <descent/objective/l2.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/softmax_regression.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// Four chunks, the last one short.
constexpr Index n = 3 * 4096 + 1001, d = 7;

struct Data {
  RowMajor X = Uniform(1).matrix(n, d);
  VectorXd y = (Uniform(2).vector(n).array() > 0).cast<double>();
  VectorXd w = Uniform(3).vector(d);
};

// A squared loss that misbehaves: it throws an exception when it is evaluated for the `from`-th time, any chunk's.
struct Boom : std::runtime_error {
  Boom() : std::runtime_error("boom") {}
};
enum class What { nothing, exception, out_of_memory };
struct Mishap {
  std::atomic<int> evaluations = 0;
  int from = -1;
  What what = What::nothing;
};
struct FragileLoss {
  Mishap* mishap;
  static constexpr Index outputs() { return 1; }
  template <class Z, class Y, class Losses>
  void evaluate(Z& z, const Y& y, Losses& losses) const {
    if (mishap->evaluations++ == mishap->from) {
      if (mishap->what == What::exception) throw Boom();
      if (mishap->what == What::out_of_memory) throw std::bad_alloc();
    }
    z.col(0) -= y;
    losses = z.col(0).square() * 0.5;
  }
};
struct FragileModel : LinearModel<FragileLoss, Referred<RowMajor>, Referred<VectorXd>> {
  FragileModel(const Data& data, Mishap& mishap)
      : LinearModel("Fragile", data.X, data.y, {&mishap}, {}) {}
};

std::vector<Index> some_samples(Index count) {
  std::vector<Index> batch(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < batch.size(); ++i) batch[i] = Index(i * 7919 % std::size_t(n));
  return batch;
}

}  // namespace

TEST_CASE("all cores give the bits of one", "[all_cores]") {
  const Data data;
  const Eigen::SparseMatrix<double, Eigen::RowMajor> sparse =
      (data.X.array().abs() > 0.7).select(data.X, 0).sparseView();
  const MatrixXd columns = data.X;
  const auto check = [](const auto& model, const auto& w) {
    using V = std::remove_cvref_t<decltype(w)>;
    V g = w, expected = w, part = w;
    const double loss = model.loss_and_gradient(w, expected);
    const auto batch = some_samples(3000), few = some_samples(512);
    for (const int threads : {1, 2, 4, 8}) {
      CAPTURE(threads);
      const auto shared = all_cores(model, {.threads = threads});
      CHECK(shared.threads() == threads);
      bool equal = true;
      for (int repeat = 0; repeat < 20; ++repeat) {
        equal = equal && shared.loss_and_gradient(w, g) == loss && g == expected;
        equal = equal && shared.loss(w) == loss;
        for (const Batch some : {Batch(batch), Batch(few), Batch(batch).first(513)}) {
          const double part_loss = model.loss_and_gradient(w, some, part);
          equal = equal && shared.loss_and_gradient(w, some, g) == part_loss && g == part;
          equal = equal && shared.loss(w, some) == part_loss;
          g.setZero();
          shared.gradient(w, some, g);
          equal = equal && g == part;
        }
        shared.gradient(w, g);
        equal = equal && g == expected;
      }
      CHECK(equal);
    }
  };
  check(LogisticRegression(data.X, data.y), data.w);
  check(LogisticRegression(columns, data.y, {.intercept = true, .weights = data.y.array() + 1}),
        VectorXd(Uniform(4).vector(d + 1)));
  check(LogisticRegression(sparse, data.y), data.w);
  check(LogisticRegression(Eigen::MatrixXf(data.X.cast<float>()), data.y),
        Eigen::VectorXf(data.w.cast<float>()));
  check(LogisticRegression(data.X, data.y), Eigen::Matrix<double, d, 1>(data.w));
  check(SoftmaxRegression(data.X, data.y, {.classes = 2}), MatrixXd(Uniform(5).matrix(d, 2)));
}

TEST_CASE("exceptions of workers keep their type, and everything is usable after",
          "[all_cores][faults]") {
  const Data data;
  Mishap mishap;
  const FragileModel model(data, mishap);
  VectorXd g(d), expected(d);
  const double loss = model.loss_and_gradient(data.w, expected);
  const int evaluations = mishap.evaluations;
  REQUIRE(evaluations > 40);
  for (const int threads : {1, 2, 4}) {
    const auto shared = all_cores(model, {.threads = threads});
    CAPTURE(threads);
    for (int at = 0; at < evaluations; ++at) {
      mishap.from = at;
      mishap.evaluations = 0;
      mishap.what = What::exception;
      REQUIRE_THROWS_AS(shared.loss_and_gradient(data.w, g), Boom);
      mishap.evaluations = 0;
      mishap.what = What::out_of_memory;
      REQUIRE_THROWS_AS(shared.loss_and_gradient(data.w, g), std::bad_alloc);
      mishap.what = What::nothing;
      REQUIRE(shared.loss_and_gradient(data.w, g) == loss);
      REQUIRE(g == expected);
    }
  }
  const auto shared = all_cores(model, {.threads = 2});
  CHECK_THROWS_AS(shared.loss(VectorXd(VectorXd::Ones(d + 1))), std::invalid_argument);
  CHECK_THROWS_AS(all_cores(model, {.threads = -1}), std::invalid_argument);
}

TEST_CASE("memory may fail at each allocation of all cores", "[all_cores][faults]") {
  if (!counts_malloc()) return;
  const Data data;
  const LogisticRegression model(data.X, data.y);
  VectorXd g(d), expected(d);
  const double loss = model.loss_and_gradient(data.w, expected);
  for (const int threads : {1, 3}) {
    const auto before = blocks_in_use();
    bool done = false;
    for (std::int64_t k = 1; !done; ++k) {
      REQUIRE(k < 100);
      const auto shared = all_cores(model, {.threads = threads});
      const Ending ending = out_of_memory(k, [&] { (void)shared.loss_and_gradient(data.w, g); });
      CHECK(ending != Ending::swallowed);
      done = ending == Ending::untouched;
      CHECK(shared.loss_and_gradient(data.w, g) == loss);
      CHECK(g == expected);
      CHECK(allocated_by([&] { (void)shared.loss_and_gradient(data.w, g); }) == Allocations{});
    }
    CHECK(blocks_in_use() == before);
  }
}

TEST_CASE("one objective on all cores may be evaluated by several threads, and copied",
          "[all_cores]") {
  const Data data;
  const auto shared = all_cores(LogisticRegression(data.X, data.y), {.threads = 2});
  const auto copy = shared;
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int k = 0; k < 4; ++k) {
    callers.emplace_back([&, k] {
      const VectorXd w = data.w * (k + 1);
      VectorXd g(d), expected(d);
      const double loss = shared.inner().loss_and_gradient(w, expected);
      for (int repeat = 0; repeat < 10; ++repeat) {
        right += (k % 2 == 0 ? shared : copy).loss_and_gradient(w, g) == loss && g == expected;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(right == 40);
}

TEST_CASE("all cores pass on what the model says", "[all_cores]") {
  const Data data;
  const LogisticRegression model(data.X, data.y, {.intercept = true});
  const auto shared = all_cores(model);
  CHECK(shared.threads() >= 1);
  CHECK(shared.size() == n);
  CHECK(shared.parameters() == d + 1);
  CHECK(&shared.linear_part() == &model.linear_part());
  CHECK(shared.ridge() == 0);
  VectorXd g(d + 1), h(d + 1);
  const VectorXd w = VectorXd::Ones(d + 1);
  l2(shared, 1).gradient(w, g);
  shared.gradient(w, h);
  CHECK(g[d] == h[d]);  // the intercept is not penalized
  CHECK(g[0] != h[0]);
}

TEST_CASE("chunks of sparse data are worth a vector of sums", "[all_cores]") {
  // 2 coefficients a row and 10 000 columns.
  Eigen::SparseMatrix<double, Eigen::RowMajor> X(60'000, 10'000);
  for (Index i = 0; i < X.rows(); ++i) {
    X.insert(i, i % 5000) = 1;
    X.insert(i, 5000 + i % 5000) = 1;
  }
  X.makeCompressed();
  const LogisticRegression model(X, VectorXd::Ones(X.rows()));
  const Index chunk = model.chunk(Rows{0, X.rows()});
  CHECK(2 * chunk >= 7 * X.cols());
  CHECK(2 * chunk <= 8 * X.cols());
  CHECK(model.chunk(Picked{}) == chunk);
}
