// Prints one hash of a trajectory of 200 steps for each optimizer of the table, scalar and size: the same bits whatever
// the compiler, the optimization, the instruction set, and Eigen's vectorization.
#include "support/bits.hpp"
#include "support/laws.hpp"
#include "support/optimizers.hpp"

#include <Eigen/Core>

#include <cinttypes>
#include <cstdio>
#include <string>

using namespace descent_test;

namespace {

template <class Real, class Trial>
std::uint64_t hash_of(const Trial& trial, Index size) {
  using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  const TrialGradients<Real> gradients(size);
  auto optimizer = trial.template make<V>();
  V x = gradients.start;
  std::string bits;
  for (int t = 0; t < 200; ++t) {
    const V g = gradients(t, x);
    optimizer.step(x, g);
    append_bits(bits, x);
  }
  const auto& slots = optimizer.state().slots;
  for (std::size_t k = 0; k < slots.count(); ++k)
    append_bits(bits, Eigen::Map<const V>(slots.column(k), size));
  return hash(bits);
}

}  // namespace

int main() {
  visit_optimizers([](const auto& trial) {
    for (const Index size : {Index(37), Index(1000)}) {
      std::printf("%s: double x %d: %016" PRIx64 "\n", trial.name.c_str(), int(size),
                  hash_of<double>(trial, size));
      std::printf("%s: float x %d: %016" PRIx64 "\n", trial.name.c_str(), int(size),
                  hash_of<float>(trial, size));
    }
  });
}
