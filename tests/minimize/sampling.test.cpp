// How `minimize` draws mini-batches: what the options say, and from a `Batches` of one's own.
#include <descent/minimize.hpp>
#include <descent/objective/linear_regression.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/sgd.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"
#include "support/refusal.hpp"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::Index, Eigen::VectorXd;

namespace {

Line line(Index n) {
  return {VectorXd::LinSpaced(n, -1, 1), VectorXd::LinSpaced(n, 0.5, 2)};
}
const VectorXd start = VectorXd::Zero(2);

/// The samples that a `Batches` names in so many batches.
std::vector<Index> drawn(Batches batches, int count) {
  std::vector<Index> result;
  for (int k = 0; k < count; ++k) {
    const Batch batch = batches.next();
    result.insert(result.end(), batch.begin(), batch.end());
  }
  return result;
}

}  // namespace

TEST_CASE("minimize draws what Batches draws, with every option") {
  for (const Sampling sampling : {shuffled, with_replacement}) {
    for (const bool drop_last : {false, true}) {
      for (const double growth : {1.0, 1.5}) {
        const Line f = line(10);
        const auto result = minimize(f, start, Adam(),
                                     {.max_iterations = 25,
                                      .batch_size = 3,
                                      .sampling = sampling,
                                      .seed = 6,
                                      .drop_last = drop_last,
                                      .batch_growth = growth});
        const Batches batches(10, 3, sampling, 6, {.drop_last = drop_last, .growth = growth});
        CHECK(result.iterations == 25);
        CHECK(f.asked == drawn(batches, 25));
      }
    }
  }
}

TEST_CASE("epochs are counted and told as they are drawn") {
  struct Case {
    bool drop_last;
    double growth;
    std::vector<std::int64_t> ends;  // updates made when an epoch ended
  };
  for (const auto& c : {Case{false, 1, {4, 8, 12, 16}}, Case{true, 1, {3, 6, 9, 12}},
                        Case{false, 2, {4, 6, 7, 8}}, Case{true, 1.5, {3, 5, 6, 7}}}) {
    std::vector<std::int64_t> ends;
    const auto result = minimize(
        line(10), start, Adam(),
        {.max_epochs = 4, .batch_size = 3, .drop_last = c.drop_last, .batch_growth = c.growth},
        [&](const Progress& p) { ends.push_back(p.iterations); });
    CHECK(result.epochs == 4);
    CHECK(result.status == Status::EpochLimit);
    CHECK(ends == c.ends);
  }
}

TEST_CASE("growing batches go below the level where a constant rate ends") {
  const RegressionData data(512, 4, 1, 3);
  const LinearRegression model(data.X, data.y);
  const double least = model.loss(data.solution());
  const auto gap = [&](double growth) {
    return minimize(model, VectorXd::Zero(4), SGD({.learning_rate = 0.3}),
                    {.max_epochs = 9, .batch_size = 1, .batch_growth = growth})
               .loss -
           least;
  };
  CHECK(gap(2) < 0.05 * gap(1));
}

TEST_CASE("runs that share a Batches make the updates of one run, wherever it was cut") {
  for (const Sampling sampling : {shuffled, with_replacement}) {
    Adam whole({.learning_rate = 0.1});
    Batches batches(10, 3, sampling, 6, {.growth = 1.2});
    const auto expected =
        minimize(line(10), start, whole, {.max_iterations = 20, .batches = &batches});
    for (int cut = 0; cut <= 20; ++cut) {
      CAPTURE(cut);
      Adam first({.learning_rate = 0.1});
      Batches place(10, 3, sampling, 6, {.growth = 1.2});
      const auto half =
          minimize(line(10), start, first, {.max_iterations = cut, .batches = &place});

      // What a program would save, and put back when it starts again.
      const auto state = first.state();
      const auto position = place.state();
      Adam second({.learning_rate = 0.1});
      second.restore(state);
      Batches again(10, 3, sampling, 1, {.growth = 1.2});
      again.restore(position);
      const auto rest =
          minimize(line(10), half.x, second,
                   {.max_iterations = 20 - cut, .warm_start = true, .batches = &again});
      CHECK(rest.x == expected.x);
      CHECK(second.state() == whole.state());
      CHECK(again == batches);
      CHECK(half.epochs + rest.epochs == expected.epochs);
    }
  }
}

TEST_CASE("without a Batches each run begins with the first batch of its seed") {
  const Line first = line(10), second = line(10);
  Adam adam;
  const auto half = minimize(first, start, adam, {.max_iterations = 2, .batch_size = 3, .seed = 4});
  (void)minimize(second, half.x, adam,
                 {.max_iterations = 2, .batch_size = 3, .seed = 4, .warm_start = true});
  CHECK(first.asked == second.asked);
  CHECK(adam.steps() == 4);
}

TEST_CASE("options of the sampling outside their ranges are refused with name, value and range") {
  const auto with = [](const MinimizeOptions& options) {
    return refusal([&] { (void)minimize(line(10), start, Adam(), options); });
  };
  for (const double growth : {0.0, 0.99, -1.0, std::nan(""), HUGE_VAL}) {
    CHECK_THAT(with({.batch_size = 2, .batch_growth = growth}),
               StartsWith("minimize: batch_growth must be in [1, inf), got "));
  }
  Batches batches(10, 3, shuffled, 6), others(9, 3, shuffled, 6);
  CHECK(with({.batches = &others}) ==
        "minimize: batches must be of the objective's 10 samples, got one of 9 samples");
  const Batches before = batches;
  CHECK_THAT(with({.batch_size = 3, .batches = &batches}), ContainsSubstring("the only option"));
  CHECK_THAT(with({.sampling = with_replacement, .batches = &batches}),
             ContainsSubstring("batches"));
  CHECK_THAT(with({.seed = 1, .batches = &batches}), ContainsSubstring("batches"));
  CHECK_THAT(with({.drop_last = true, .batches = &batches}), ContainsSubstring("batches"));
  CHECK_THAT(with({.batch_growth = 2, .batches = &batches}), ContainsSubstring("batches"));
  CHECK_THAT(
      refusal([&] { (void)minimize(line(10), start, GradientDescent(), {.batches = &batches}); }),
      StartsWith("minimize: batches must be unset with GradientDescent"));
  CHECK_THAT(
      refusal([&] { (void)minimize(Bowl{}, start, Adam(), {.batches = &batches}); }),
      StartsWith("minimize: batches must be unset for an objective that is not a finite sum"));
  CHECK(batches == before);
  CHECK(with({.max_iterations = 1, .batches = &batches}) == "accepted");
}
