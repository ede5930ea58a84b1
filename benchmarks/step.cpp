// One step of each optimizer, in plain numbers: time a step, coefficients and bytes a second. Ratios against loops by hand
// need contenders that take turns: see ratios.cpp.
#include <benchmark/benchmark.h>

#include "descent/descent.hpp"

namespace {

using descent::Adam;
using descent::AdamW;
using descent::GradientDescent;
using descent::SGD;

template <class Optimizer>
void run(benchmark::State& state, Optimizer optimizer) {
  using Vector = typename Optimizer::Vector;
  const Eigen::Index n = state.range(0);
  Vector x = Vector::Random(n);
  const Vector g = Vector::Random(n);
  for (auto _ : state) {
    optimizer.step(x, g);
    benchmark::DoNotOptimize(x.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * n);
  // g is read, x and the slots are read and written.
  const auto bytes = 3 * n * Eigen::Index(sizeof(typename Vector::Scalar)) +
                     2 * static_cast<Eigen::Index>(optimizer.slot_bytes());
  state.SetBytesProcessed(state.iterations() * bytes);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->RangeMultiplier(10)->Range(10, 10'000'000);
}

template <class Vector>
void gradient_descent(benchmark::State& state) {
  run(state, GradientDescent<Vector>());
}
template <class Vector>
void sgd(benchmark::State& state) {
  run(state, SGD<Vector>());
}
template <class Vector>
void sgd_momentum(benchmark::State& state) {
  run(state, SGD<Vector>({.momentum = 0.9}));
}
template <class Vector>
void adam(benchmark::State& state) {
  run(state, Adam<Vector>());
}
template <class Vector>
void amsgrad(benchmark::State& state) {
  run(state, Adam<Vector>({.amsgrad = true}));
}
template <class Vector>
void adamw(benchmark::State& state) {
  run(state, AdamW<Vector>());
}
template <class Vector>
void clip_adamw_schedule(benchmark::State& state) {
  run(state, descent::chain<Vector>(
                 descent::clip_by_global_norm(1.0), descent::scale_by_adam(),
                 descent::add_decayed_weights(0.01),
                 descent::scale_by_learning_rate(descent::warmup_cosine(
                     {.peak = 1e-3, .warmup_steps = 100, .total_steps = 1'000'000'000}))));
}

using Eigen::VectorXd;
using Eigen::VectorXf;

BENCHMARK_TEMPLATE(gradient_descent, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(gradient_descent, VectorXd)->Apply(sizes);
BENCHMARK_TEMPLATE(sgd, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(sgd, VectorXd)->Apply(sizes);
BENCHMARK_TEMPLATE(sgd_momentum, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(sgd_momentum, VectorXd)->Apply(sizes);
BENCHMARK_TEMPLATE(adam, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(adam, VectorXd)->Apply(sizes);
BENCHMARK_TEMPLATE(amsgrad, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(amsgrad, VectorXd)->Apply(sizes);
BENCHMARK_TEMPLATE(adamw, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(adamw, VectorXd)->Apply(sizes);
BENCHMARK_TEMPLATE(clip_adamw_schedule, VectorXf)->Apply(sizes);
BENCHMARK_TEMPLATE(clip_adamw_schedule, VectorXd)->Apply(sizes);

}  // namespace
