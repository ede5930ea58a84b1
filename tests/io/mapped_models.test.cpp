// Models over data files: the same as over matrices, in memory that does not depend on the size of the file.
#include <sys/resource.h>

#include <cstddef>
#include <new>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <descent/core/random.hpp>
#include <descent/io/data_file.hpp>
#include <descent/io/mapped_data.hpp>
#include <descent/minimize.hpp>
#include <descent/objective/all_cores.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/logistic_regression.hpp>
#include <descent/objective/softmax_regression.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/solver/lbfgs.hpp>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/temporary.hpp"

namespace {

using descent::LogisticRegression;
using Eigen::Index;
using Eigen::VectorXd;

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Sparse = Eigen::SparseMatrix<double, Eigen::RowMajor>;

// Rows of a problem of two classes, one by one.
struct Generator {
  descent::Random random{5};
  descent::DataRow<double> row;
  explicit Generator(Index d)
      : row{0, std::vector<double>(static_cast<std::size_t>(d)), {}, false} {}
  const descent::DataRow<double>& next() {
    double z = 2 * random.uniform() - 1;
    double sign = 1;
    for (double& x : row.values) {
      x = 2 * random.uniform() - 1;
      z += (sign = -sign) * x;
    }
    row.y = z > 0 ? 1 : 0;
    return row;
  }
};
void write_problem(const std::string& path, Index n, Index d) {
  descent::DataWriter<double> writer(path, false, d);
  Generator rows(d);
  for (Index i = 0; i < n; ++i) writer.add(rows.next());
  (void)writer.finish();
}

// The loss, the norm of the gradient and w where LBFGS ends.
template <class X, class Y>
std::vector<double> optimum(const X& x, const Y& y) {
  const auto f = descent::l2(LogisticRegression(x, y), 0.01);
  const auto result = descent::minimize(f, VectorXd(VectorXd::Zero(x.cols())), descent::LBFGS(),
                                        {.gradient_tolerance = 1e-8});
  std::vector<double> numbers(result.x.begin(), result.x.end());
  numbers.push_back(result.loss);
  numbers.push_back(result.gradient_norm);
  numbers.push_back(result.converged() ? 1 : 0);
  return numbers;
}

// A matrix that writes down what it is told.
struct Told {
  char what;
  Index begin, count;
  friend bool operator==(const Told&, const Told&) = default;
};
template <class Plain>
struct Listening : Plain {
  std::vector<Told>* told;
  Listening(const Plain& plain, std::vector<Told>& list) : Plain(plain), told(&list) {}
  void expect(Index begin, Index count) const { told->push_back({'e', begin, count}); }
  void release(Index begin, Index count) const { told->push_back({'r', begin, count}); }
};

}  // namespace

TEST_CASE("Models over a data file have the bits of those over matrices") {
  const Temporary dense_file("dense"), sparse_file("sparse");
  const Index n = 10'000, d = 17;
  write_problem(dense_file.path(), n, d);
  const descent::MappedData<double> dense(dense_file.path());
  const Matrix x = dense.x();
  const VectorXd y = dense.y();
  const Sparse s = x.unaryExpr([](double v) { return v > 0.5 ? v : 0; }).sparseView();
  descent::write_data(sparse_file.path(), s, y);
  const descent::MappedSparseData<double> sparse(sparse_file.path());

  const auto same = [](const auto& a, const auto& b, Index size) {
    VectorXd w(size), g(size), h(size);
    for (Index j = 0; j < size; ++j) w[j] = 0.1 * static_cast<double>(j % 7) - 0.3;
    CHECK(a.loss_and_gradient(w, g) == b.loss_and_gradient(w, h));
    CHECK(g == h);
    const std::vector<Index> batch{5, 9'999, 0, 5, 4'096};
    CHECK(a.loss_and_gradient(w, batch, g) == b.loss_and_gradient(w, batch, h));
    CHECK(g == h);
  };
  same(LogisticRegression(dense.x(), dense.y()), LogisticRegression(x, y), d);
  same(LogisticRegression(dense.x(), dense.y(), {.intercept = true}),
       LogisticRegression(x, y, {.intercept = true}), d + 1);
  same(LogisticRegression(sparse.x(), sparse.y()), LogisticRegression(s, y), d);
  same(descent::SoftmaxRegression(dense.x(), dense.y()), descent::SoftmaxRegression(x, y), 2 * d);
  same(descent::SoftmaxRegression(sparse.x(), sparse.y(), {.intercept = true}),
       descent::SoftmaxRegression(s, y, {.intercept = true}), 2 * d + 2);
  same(descent::all_cores(LogisticRegression(dense.x(), dense.y()), {.threads = 3}),
       LogisticRegression(x, y), d);
  CHECK(optimum(dense.x(), dense.y()) == optimum(x, y));
  CHECK(optimum(sparse.x(), sparse.y()) == optimum(s, y));

  const auto trained = [&](const auto& f) {
    return descent::minimize(f, VectorXd(VectorXd::Zero(d)), descent::SGD({.learning_rate = 0.1}),
                             {.max_epochs = 2, .batch_size = 64, .seed = 3})
        .x;
  };
  CHECK(trained(LogisticRegression(dense.x(), dense.y())) == trained(LogisticRegression(x, y)));
  // An rvalue is copied, as any other.
  const LogisticRegression copy(Matrix(dense.x()), VectorXd(dense.y()));
  same(copy, LogisticRegression(x, y), d);
}

TEST_CASE("A full pass says which samples come and which are done") {
  std::vector<Told> x_told, y_told;
  const Index n = 4096 * 2 + 100;
  const Listening<Matrix> x(Matrix::Ones(n, 2), x_told);
  const Listening<VectorXd> y(VectorXd::Ones(n), y_told);
  const LogisticRegression f(x, y);
  CHECK(y_told == std::vector<Told>{{'r', 0, 4096}, {'r', 4096, 4096}, {'r', 8192, 100}});
  y_told.clear();
  VectorXd w = VectorXd::Zero(2), g(2);
  (void)f.loss_and_gradient(w, g);
  const std::vector<Told> expected{{'e', 8192, 4096}, {'r', 0, 4096},   {'e', 12288, 4096},
                                   {'r', 4096, 4096}, {'e', 8392, 100}, {'r', 8192, 100}};
  CHECK(x_told == expected);
  CHECK(y_told == expected);
  x_told.clear();
  (void)f.loss_and_gradient(w, std::vector<Index>{0, 5}, g);
  CHECK(x_told.empty());
}

TEST_CASE("A data set four times the memory allowed trains to the same optimum") {
#if !defined(__linux__)
  WARN("not run: RLIMIT_DATA counts what malloc maps on Linux");
#else
  if (DESCENT_TESTS_SANITIZED) {
    WARN("not run: a sanitizer's own memory is beyond the limit");
    return;
  }
  const Temporary file("large");
  const Index n = 131'072, d = 63;
  write_problem(file.path(), n, d);  // 64 MiB
  const std::vector<double> mapped = in_child([&file] {
    const rlimit quarter{std::size_t{16} << 20, std::size_t{16} << 20};
    if (setrlimit(RLIMIT_DATA, &quarter) != 0) return std::vector<double>{};
    const descent::MappedData<double> data(file.path());
    bool refused = false;
    try {
      const Matrix x = data.x();
      refused = x.rows() == 0;
    } catch (const std::bad_alloc&) {
      refused = true;
    }
    std::vector<double> numbers = optimum(data.x(), data.y());
    numbers.push_back(refused ? 1 : 0);
    return numbers;
  });
  REQUIRE(mapped.size() == static_cast<std::size_t>(d) + 4);
  CHECK(mapped.back() == 1);  // in memory it does not fit

  const descent::MappedData<double> data(file.path());
  const Matrix x = data.x();
  const VectorXd y = data.y();
  std::vector<double> in_memory = optimum(x, y);
  CHECK(in_memory.back() == 1);  // converged
  CHECK(in_memory[in_memory.size() - 2] <= 1e-8);
  in_memory.push_back(1);
  CHECK(mapped == in_memory);
#endif
}

TEST_CASE("Peak memory does not depend on the size of the file") {
#if !defined(__linux__)
  WARN("not run: there is no /proc/self/status");
#else
  if (DESCENT_TESTS_SANITIZED) {
    WARN("not run: a sanitizer's own memory is counted, too");
    return;
  }
  // What a process needs to train, in KiB; a chunk of this data has 1 MiB.
  const auto peak = [](Index n, const descent::MapOptions& options, bool sparse) {
    const Temporary file("peak");
    write_problem(file.path(), n, 31);
    if (sparse) {
      const descent::MappedData<double> data(file.path());
      descent::write_data(file.path(), Sparse(data.x().sparseView()), data.y());
    }
    return peak_of([&] {
      const auto pass = [&](const auto& data) {
        const LogisticRegression f(data.x(), data.y());
        VectorXd w = VectorXd::Zero(31), g(31);
        for (int k = 0; k < 2; ++k) w -= 0.1 * (f.gradient(w, g), g);
      };
      sparse ? pass(descent::MappedSparseData<double>(file.path(), options))
             : pass(descent::MappedData<double>(file.path(), options));
    });
  };
  const Index small = 4096 * 8, large = 4096 * 32;  // 8 and 32 MiB
  for (const bool sparse : {false, true}) {
    CAPTURE(sparse);
    const double of_small = peak(small, {}, sparse), of_large = peak(large, {}, sparse);
    CAPTURE(of_small, of_large);
    CHECK(of_small > 0);
    CHECK(of_large < 4 * 1024);
    CHECK(of_large - of_small < 512);
  }
  const double kept = peak(large, {.keep = true}, false);
  CHECK(kept > 31 * 1024);  // so it would be seen
#endif
}
