// Mini-batches of one's own by `minimize`: an objective over samples, early stopping, and a history to plot.
//
//     robust_line [folder for history.csv]
//
// A line through data of which a tenth are far off. The loss √(1 + r²) − 1 of a residual r is r²/2 for small ones and
// |r| for large ones, so these pull no harder for being farther off (the pseudo-Huber loss).
//
// gnuplot draws the history:
//
//     gnuplot -p -e "set datafile separator ','; plot 'history.csv' using 'epoch':'loss' with lines"
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include <Eigen/Dense>

#include <descent/descent.hpp>

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// f(w) = 1/n Σ √(1 + rᵢ²) − 1, r = Xw − y. `minimize` draws batches from what has `size()` and a gradient of a batch.
class RobustLine {
 public:
  MatrixXd X;
  VectorXd y;

  Index size() const { return y.size(); }
  double loss_and_gradient(const VectorXd& w, VectorXd& g) const {
    const auto sample = [](Index k) { return k; };
    return mean(w, size(), sample, g);
  }
  double loss_and_gradient(const VectorXd& w, descent::Batch batch, VectorXd& g) const {
    const auto sample = [&](Index k) { return batch[static_cast<std::size_t>(k)]; };
    return mean(w, static_cast<Index>(batch.size()), sample, g);
  }

 private:
  // Both are means over the samples at hand, so one function serves all of them and a few.
  double mean(const VectorXd& w, Index count, const auto& sample, VectorXd& g) const {
    double loss = 0;
    g.setZero();
    for (Index k = 0; k < count; ++k) {
      const Index i = sample(k);
      const double r = X.row(i).dot(w) - y[i], root = std::sqrt(1 + r * r);
      loss += root - 1;
      g += (r / root) * X.row(i).transpose();
    }
    const auto n = static_cast<double>(count);
    g /= n;
    return loss / n;
  }
};
static_assert(descent::FiniteSumObjective<RobustLine, VectorXd>);

/// y = 1 + 2 t and a small disturbance; every tenth y is 30 too large.
RobustLine sample(Index n, std::uint64_t seed) {
  descent::Random random(seed);
  RobustLine data{MatrixXd::Ones(n, 2), VectorXd(n)};
  for (Index i = 0; i < n; ++i) {
    data.X(i, 1) = 2 * random.uniform() - 1;
    data.y[i] = 1 + 2 * data.X(i, 1) + 0.2 * random.normal() + (i % 10 == 0 ? 30 : 0);
  }
  return data;
}

}  // namespace

int main(int argc, char** argv) {
  const RobustLine training = sample(500, 1), validation = sample(200, 2);
  const VectorXd start = VectorXd::Zero(2);
  const auto check = descent::check_gradient(training, start);  // of all samples, and of batches
  std::printf("%s\n", check.message().c_str());

  descent::History log;
  auto stop = descent::early_stopping(validation, {.patience = 10, .restore_best = true});
  const auto fit = descent::minimize(
      training, start,
      descent::Adam(
          {.learning_rate = descent::exponential_decay({.initial = 0.05, .rate = 0.997})}),
      {.max_epochs = 200, .batch_size = 25, .seed = 3}, descent::history(log), stop);
  std::printf("%s; best validation loss %.4f after iteration %d\n", fit.message().c_str(),
              stop.best_loss(), static_cast<int>(stop.best_iteration()));

  const VectorXd least_squares = training.X.householderQr().solve(training.y);
  std::printf("robust:        y = %.2f + %.2f t\n", fit.x[0], fit.x[1]);
  std::printf("least squares: y = %.2f + %.2f t\n", least_squares[0], least_squares[1]);

  if (argc > 1) log.write_csv(std::string(argv[1]) + "/history.csv");  // one row an epoch
  return check.ok() && fit.status == descent::Status::Stopped && std::abs(fit.x[0] - 1) < 0.2 &&
                 std::abs(fit.x[1] - 2) < 0.2
             ? 0
             : 1;
}
