// cross_validate: how well what is fitted to some of the samples does on the others.
//
//     const auto folds = k_folds(model.size(), 5, seed);
//     const auto cv = cross_validate(model, folds, [&](const auto& training) {
//       return minimize(l2(training, lambda), x0, LBFGS());
//     });
//     cv.mean, cv.standard_error
//
// The n samples are shuffled and cut into k parts, whose sizes differ by one at most, the larger ones first; each part is left
// out once. M. Stone, "Cross-validatory choice and assessment of statistical predictions", J. R. Stat. Soc. B 36(2), 1974. As
// scikit-learn's `KFold(shuffle=True)`, with other random numbers: the same on every machine.
#ifndef DESCENT_TUNE_CROSS_VALIDATION_HPP
#define DESCENT_TUNE_CROSS_VALIDATION_HPP

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/random.hpp"
#include "descent/core/rounded.hpp"
#include "descent/core/validation.hpp"
#include "descent/objective/subset.hpp"

namespace descent::inline v0 {

/// One division of the samples in two.
struct Fold {
  std::vector<Eigen::Index> training;    ///< what is fitted, in ascending order
  std::vector<Eigen::Index> validation;  ///< what is left out for the loss, in ascending order
};

/// k divisions of n samples: every sample is left out in one of them. `std::invalid_argument` unless 2 <= k <= n.
inline std::vector<Fold> k_folds(Eigen::Index n, std::int64_t k, std::uint64_t seed = 0) {
  constexpr std::string_view who = "k_folds";
  checked_count(who, "n", n, 2);
  checked(who, "k", static_cast<double>(k), {.lower = 2, .upper = static_cast<double>(n)});
  // In which fold a sample is left out: shuffled (R. Durstenfeld, Comm. ACM 7(7), 1964).
  const auto samples = static_cast<std::size_t>(n), parts = static_cast<std::size_t>(k);
  std::vector<std::size_t> fold_of(samples);
  for (std::size_t fold = 0, i = 0; fold < parts; ++fold) {
    const std::size_t size = samples / parts + (fold < samples % parts ? 1 : 0);
    for (std::size_t end = i + size; i < end; ++i) fold_of[i] = fold;
  }
  Random random(seed);
  for (std::size_t i = 0; i < samples; ++i) {
    std::swap(fold_of[i], fold_of[i + static_cast<std::size_t>(random.below(samples - i))]);
  }
  std::vector<Fold> folds(parts);
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t fold = 0; fold < parts; ++fold) {
      auto& part = fold == fold_of[i] ? folds[fold].validation : folds[fold].training;
      part.push_back(static_cast<Eigen::Index>(i));
    }
  }
  return folds;
}

/// What came out of a cross-validation.
struct CrossValidation {
  std::vector<double> losses;  ///< one for each fold, of the samples left out
  double mean = 0;             ///< of the losses
  double standard_error =
      0;  ///< of the mean: standard deviation (of the sample) / √k; NaN for one fold
};

/// For each fold: fits the training samples by fit(objective), which returns parameters or what `minimize` returns, and
/// evaluates the loss of the others there. Penalties belong into `fit`, around its objective: the loss is that of
/// `objective`, a finite sum. A fit that failed shows as a loss that is large or not finite. `std::invalid_argument` where
/// there is no fold, or an index outside of the sum.
template <class F, class Fit>
CrossValidation cross_validate(const F& objective, const std::vector<Fold>& folds, const Fit& fit) {
  checked_count("cross_validate", "number of folds", static_cast<std::int64_t>(folds.size()), 1);
  CrossValidation result;
  for (const Fold& fold : folds) {
    const auto training = subset(objective, fold.training);
    const auto validation = subset(objective, fold.validation);
    const auto fitted = fit(training);
    if constexpr (requires { fitted.x.size(); }) {
      result.losses.push_back(validation_loss(validation, fitted.x));
    } else {
      result.losses.push_back(validation_loss(validation, fitted));
    }
  }
  const auto k = static_cast<double>(folds.size());
  for (const double loss : result.losses) result.mean += loss;
  result.mean /= k;
  double squares = 0;
  for (const double loss : result.losses)
    squares += rounded((loss - result.mean) * (loss - result.mean));
  result.standard_error = std::sqrt(squares / (k - 1) / k);
  return result;
}

}  // namespace descent::inline v0

#endif  // DESCENT_TUNE_CROSS_VALIDATION_HPP
