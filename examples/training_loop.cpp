// A training loop of one's own, as in deep learning: a network of two layers, mini-batches, a schedule, and early
// stopping on validation data, by hand. The library supplies `step(x, g)`, the batches and the schedule.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <Eigen/Core>

#include <descent/descent.hpp>

namespace {

using Eigen::Index;
using Eigen::MatrixXf;
using Eigen::VectorXf;

/// Points on two interleaved half circles, disturbed; labels 0 and 1.
struct Moons {
  MatrixXf points;  // 2 x n, one sample a column
  VectorXf labels;  // n

  Moons(Index n, std::uint64_t seed) : points(2, n), labels(n) {
    descent::Random random(seed);
    const auto uniform = [&] { return static_cast<float>(random() >> 40) * 0x1p-24F; };  // [0, 1)
    for (Index i = 0; i < n; ++i) {
      const float angle = 3.1415927F * uniform();
      const bool lower = i % 2 == 1;
      points(0, i) = lower ? 1 - std::cos(angle) : std::cos(angle);
      points(1, i) = lower ? 0.5F - std::sin(angle) : std::sin(angle);
      points(0, i) += 0.4F * (uniform() + uniform() - 1);
      points(1, i) += 0.4F * (uniform() + uniform() - 1);
      labels[i] = lower ? 1 : 0;
    }
  }
};

/// score(x) = vᵀ tanh(W x + b) + c. All parameters lie in one vector, θ = (W, b, v, c), which is what `step` takes.
class Network {
  static constexpr Index inputs = 2, hidden = 16;

 public:
  static constexpr Index parameters = hidden * inputs + hidden + hidden + 1;

  /// The mean log-loss over a batch, log(1 + exp(−s)) with s = ±score, and its gradient.
  static double loss_and_gradient(const VectorXf& theta, const Moons& data, descent::Batch batch,
                                  VectorXf& gradient) {
    const auto [w, b, v, c] = split(theta.data());
    auto [dw, db, dv, dc] = split(gradient.data());
    gradient.setZero();
    double loss = 0;
    for (const Index i : batch) {
      const Eigen::Vector2f x = data.points.col(i);
      const Eigen::Matrix<float, hidden, 1> h = (w * x + b).array().tanh();
      const float score = v.dot(h) + c[0];
      loss += log_loss(score, data.labels[i]);
      const float error = 1 / (1 + std::exp(-score)) - data.labels[i];  // of the loss by the score
      const Eigen::Matrix<float, hidden, 1> inner = error * v.array() * (1 - h.array().square());
      dw += inner * x.transpose();
      db += inner;
      dv += error * h;
      dc[0] += error;
    }
    const auto n = static_cast<float>(batch.size());
    gradient /= n;
    return loss / static_cast<double>(n);
  }

  struct Score {
    double loss, accuracy;
  };
  static Score evaluate(const VectorXf& theta, const Moons& data) {
    const auto [w, b, v, c] = split(theta.data());
    double loss = 0, right = 0;
    for (Index i = 0; i < data.labels.size(); ++i) {
      const Eigen::Matrix<float, hidden, 1> h = (w * data.points.col(i) + b).array().tanh();
      const float score = v.dot(h) + c[0];
      loss += log_loss(score, data.labels[i]);
      right += (score > 0) == (data.labels[i] > 0) ? 1 : 0;
    }
    const auto n = static_cast<double>(data.labels.size());
    return {loss / n, right / n};
  }

 private:
  static double log_loss(float score, float label) {
    const double s = label > 0 ? static_cast<double>(score) : -static_cast<double>(score);
    return s > 0 ? std::log1p(std::exp(-s)) : std::log1p(std::exp(s)) - s;
  }

  template <class Real>  // float or const float
  struct Parts {
    template <int Rows, int Cols>
    using View =
        Eigen::Map<std::conditional_t<std::is_const_v<Real>, const Eigen::Matrix<float, Rows, Cols>,
                                      Eigen::Matrix<float, Rows, Cols>>>;
    View<hidden, inputs> w;
    View<hidden, 1> b, v;
    View<1, 1> c;
  };
  template <class Real>
  static Parts<Real> split(Real* theta) {
    return {typename Parts<Real>::template View<hidden, inputs>(theta),
            typename Parts<Real>::template View<hidden, 1>(theta + hidden * inputs),
            typename Parts<Real>::template View<hidden, 1>(theta + hidden * inputs + hidden),
            typename Parts<Real>::template View<1, 1>(theta + hidden * inputs + 2 * hidden)};
  }
};

}  // namespace

int main() {
  const Moons training(800, 1), validation(400, 2);
  constexpr Index batch_size = 32;
  constexpr int most_epochs = 200, patience = 15;

  VectorXf theta(Network::parameters), gradient(Network::parameters);
  descent::Random random(3);
  for (float& value : theta) value = static_cast<float>(random() >> 40) * 0x1p-24F - 0.5F;

  descent::Batches batches(training.labels.size(), batch_size, descent::shuffled, 4);
  descent::AdamW<VectorXf> optimizer(
      {.learning_rate = descent::warmup_cosine(
           {.peak = 0.02, .warmup_steps = 100, .total_steps = most_epochs * 800 / batch_size}),
       .weight_decay = 1e-3});

  VectorXf best = theta;
  double best_loss = std::numeric_limits<double>::infinity();
  int best_epoch = 0, epoch = 0;
  while (epoch < most_epochs && epoch - best_epoch < patience) {
    double loss = 0;
    int count = 0;
    do {
      loss += Network::loss_and_gradient(theta, training, batches.next(), gradient);
      optimizer.step(theta, gradient);
      ++count;
    } while (!batches.epoch_ended());
    ++epoch;

    const auto [validation_loss, accuracy] = Network::evaluate(theta, validation);
    if (validation_loss < best_loss) {
      best_loss = validation_loss;
      best_epoch = epoch;
      best = theta;
    }
    if (epoch == 1 || epoch % 10 == 0) {
      std::printf("epoch %3d: rate %.4f, running loss %.4f, validation loss %.4f, accuracy %.3f\n",
                  epoch, optimizer.learning_rate(), loss / count, validation_loss, accuracy);
    }
  }

  const auto [loss, accuracy] = Network::evaluate(best, validation);
  std::printf(
      "ended after epoch %d and %d steps; best epoch %d: validation loss %.4f, accuracy %.3f\n",
      epoch, static_cast<int>(optimizer.steps()), best_epoch, loss, accuracy);
  return accuracy >= 0.98 ? 0 : 1;
}
