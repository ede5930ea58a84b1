#include <descent/tune/cross_validation.hpp>

#include <descent/minimize.hpp>
#include <descent/objective/l2.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/solver/lbfgs.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <Eigen/Core>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index, Eigen::VectorXd;

namespace {

/// fᵢ(x) = cᵢ, whatever x.
struct Constants {
  std::vector<double> c;
  Index size() const { return Index(c.size()); }
  double loss(const VectorXd&) const { return 0; }
  double loss(const VectorXd&, Batch batch) const {
    double sum = 0;
    for (const Index i : batch) sum += c[std::size_t(i)];
    return sum / double(batch.size());
  }
  void gradient(const VectorXd&, VectorXd& g) const { g.setZero(); }
  void gradient(const VectorXd&, Batch, VectorXd& g) const { g.setZero(); }
};

}  // namespace

TEST_CASE("every sample is left out once, in folds of nearly one size") {
  for (Index n = 2; n <= 13; ++n) {
    for (Index k = 2; k <= n; ++k) {
      CAPTURE(n, k);
      const auto folds = k_folds(n, k, 3);
      REQUIRE(Index(folds.size()) == k);
      std::vector<int> left_out(static_cast<std::size_t>(n));
      for (Index fold = 0; fold < k; ++fold) {
        const auto& [training, validation] = folds[std::size_t(fold)];
        CHECK(Index(validation.size()) == n / k + (fold < n % k ? 1 : 0));
        CHECK(std::is_sorted(training.begin(), training.end()));
        CHECK(std::is_sorted(validation.begin(), validation.end()));
        for (const Index i : validation) ++left_out[std::size_t(i)];
        std::vector<Index> both = training;
        both.insert(both.end(), validation.begin(), validation.end());
        std::sort(both.begin(), both.end());
        REQUIRE(Index(both.size()) == n);
        for (Index i = 0; i < n; ++i) CHECK(both[std::size_t(i)] == i);
      }
      for (const int times : left_out) CHECK(times == 1);
    }
  }
}

TEST_CASE("a seed gives the same folds everywhere") {
  // What the algorithm gives in another language.
  using Parts = std::vector<std::vector<Index>>;
  const auto validation = [](Index n, Index k, std::uint64_t seed) {
    Parts parts;
    for (const Fold& fold : k_folds(n, k, seed)) parts.push_back(fold.validation);
    return parts;
  };
  CHECK(validation(10, 3, 1) == Parts{{2, 3, 5, 7}, {4, 8, 9}, {0, 1, 6}});
  CHECK(validation(7, 7, 42) == Parts{{3}, {4}, {1}, {6}, {5}, {0}, {2}});
  CHECK(validation(10, 3, 0) != validation(10, 3, 1));
}

TEST_CASE("every division is as likely as the others") {
  std::map<std::vector<Index>, double> seen;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) ++seen[k_folds(4, 2, seed)[0].validation];
  REQUIRE(seen.size() == 6);
  double chi = 0;
  for (const auto& [part, count] : seen) chi += (count - 1000) * (count - 1000) / 1000;
  CHECK(chi < 5 + 5 * std::sqrt(10.0));
}

TEST_CASE("losses are those of the samples left out, with mean and standard error") {
  const Constants f{{1, 1, 2, 2, 3, 5}};
  const std::vector<Fold> folds = {
      {{2, 3, 4, 5}, {0, 1}}, {{0, 1, 4, 5}, {2, 3}}, {{0, 1, 2, 3}, {4, 5}}};
  std::vector<double> trained;
  const auto cv = cross_validate(f, folds, [&](const auto& training) {
    const VectorXd x = VectorXd::Zero(1);
    trained.push_back(training.loss(x));
    return x;
  });
  CHECK(cv.losses == std::vector<double>{1, 2, 4});
  CHECK(trained == std::vector<double>{3, 2.5, 1.5});
  CHECK(cv.mean == Approx(7.0 / 3).epsilon(1e-15));
  // ((4/3)² + (1/3)² + (5/3)²)/2 = 7/3, of three
  CHECK(cv.standard_error == Approx(std::sqrt(7.0) / 3).epsilon(1e-15));

  const auto one = cross_validate(f, {folds[1]}, [](const auto&) { return VectorXd(1); });
  CHECK(one.mean == 2);
  CHECK(std::isnan(one.standard_error));

  const auto failed = cross_validate(Constants{{1, std::nan(""), 2, 2, 3, 5}}, folds,
                                     [](const auto&) { return VectorXd(1); });
  CHECK(std::isnan(failed.mean));
  CHECK(failed.losses[1] == 2);
}

TEST_CASE("ridge regression, cross-validated, is what the normal equations give") {
  const RegressionData data(30, 4, 1, 5);
  const LinearRegression model(data.X, data.y);
  const double lambda = 0.1;
  const auto folds = k_folds(30, 5, 7);
  const auto cv = cross_validate(model, folds, [&](const auto& training) {
    return minimize(l2(training, lambda), VectorXd::Zero(4), LBFGS(),
                    {.gradient_tolerance = 1e-10});
  });
  REQUIRE(cv.losses.size() == 5);
  double sum = 0;
  for (std::size_t fold = 0; fold < 5; ++fold) {
    Eigen::MatrixXd A = lambda * Eigen::MatrixXd::Identity(4, 4);
    VectorXd b = VectorXd::Zero(4);
    for (const Index i : folds[fold].training) {
      A += data.X.row(i).transpose() * data.X.row(i) / 24;
      b += data.X.row(i).transpose() * data.y[i] / 24;
    }
    const VectorXd w = A.partialPivLu().solve(b);
    double loss = 0;
    for (const Index i : folds[fold].validation) {
      loss += 0.5 * std::pow(data.X.row(i).dot(w) - data.y[i], 2) / 6;
    }
    CHECK(cv.losses[fold] == Approx(loss).epsilon(1e-8));
    sum += loss;
  }
  CHECK(cv.mean == Approx(sum / 5).epsilon(1e-8));
}

TEST_CASE("arguments of cross-validation outside their ranges are refused") {
  CHECK(refusal([] { (void)k_folds(1, 2); }) == "k_folds: n must be at least 2, got 1");
  CHECK(refusal([] { (void)k_folds(10, 1); }) == "k_folds: k must be in [2, 10], got 1");
  CHECK(refusal([] { (void)k_folds(10, 11); }) == "k_folds: k must be in [2, 10], got 11");
  const Constants f{{1, 2}};
  const auto fit = [](const auto&) { return VectorXd(1); };
  CHECK(refusal([&] { (void)cross_validate(f, {}, fit); }) ==
        "cross_validate: number of folds must be at least 1, got 0");
  CHECK_THAT(refusal([&] {
               (void)cross_validate(f, {{{0}, {2}}}, fit);
             }),
             StartsWith("subset: indices[0]"));
}
