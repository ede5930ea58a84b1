// Prints one hash of every operation of a lane over the same numbers, and fails when lanes of different widths differ.
#include "support/bits.hpp"

#include <descent/engine/lane.hpp>

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

using descent::Lane;
using descent::lane_width;

namespace {

bool widths_agree = true;

template <class Real>
std::vector<Real> values() {
  using Limits = std::numeric_limits<Real>;
  std::vector<Real> all;
  for (const Real v : {Real(0), Limits::denorm_min(), 3 * Limits::denorm_min(), Limits::min() / 2,
                       Limits::min(), Real(0.5), Real(1), Real(2), Real(3), Limits::max(),
                       Limits::infinity(), Limits::quiet_NaN()}) {
    all.push_back(v);
    all.push_back(-v);
  }
  descent_test::Numbers numbers(1);
  while (all.size() < 96) all.push_back(Real(std::ldexp(numbers(), int(all.size()) - 60)));
  return all;
}

// The outcome of `operation(a, b)` for all pairs, NaN as one number.
template <class L, class Operation>
std::uint64_t hash_of(const Operation& operation) {
  using Real = typename L::Scalar;
  const std::vector<Real> all = values<Real>();
  std::string bits;
  for (const Real b : all) {
    for (std::size_t i = 0; i < all.size(); i += L::width) {
      Real out[L::width];
      operation(L::load(&all[i]), L(b)).store(out);
      for (const Real v : out)
        descent_test::append_bits(bits, std::isnan(v) ? std::numeric_limits<Real>::quiet_NaN() : v);
    }
  }
  return descent_test::hash(bits);
}

template <class Real, class Operation>
void print(const char* name, const Operation& operation) {
  const std::uint64_t one = hash_of<Lane<Real, 1>>(operation);
  for (const std::uint64_t other : {hash_of<Lane<Real, lane_width<Real, 2>>>(operation),
                                    hash_of<Lane<Real, lane_width<Real, 4>>>(operation),
                                    hash_of<Lane<Real, lane_width<Real, 8>>>(operation),
                                    hash_of<Lane<Real, lane_width<Real>>>(operation)}) {
    if (other == one) continue;
    widths_agree = false;
    std::printf("%s: the widths differ: %016" PRIx64 "\n", name, other);
  }
  std::printf("%s: %s: %016" PRIx64 "\n", sizeof(Real) == 4 ? "float" : "double", name, one);
}

template <class Real>
void print_all() {
  print<Real>("a + b", [](auto a, auto b) { return a + b; });
  print<Real>("a - b", [](auto a, auto b) { return a - b; });
  print<Real>("a b", [](auto a, auto b) { return a * b; });
  print<Real>("a over b", [](auto a, auto b) { return a / b; });
  print<Real>("a a + b", [](auto a, auto b) { return a * a + b; });
  print<Real>("a b - a", [](auto a, auto b) { return a * b - a; });
  print<Real>("b - a b", [](auto a, auto b) { return b - a * b; });
  print<Real>("max", [](auto a, auto b) { return max(a, b); });
  print<Real>("min", [](auto a, auto b) { return min(a, b); });
  print<Real>("abs", [](auto a, auto) { return abs(a); });
  print<Real>("minus", [](auto a, auto) { return -a; });
  print<Real>("sqrt", [](auto a, auto) { return sqrt(a); });
  print<Real>("sign", [](auto a, auto) { return sign(a); });
  print<Real>("flush_denormals", [](auto a, auto) { return flush_denormals(a); });
  print<Real>("zero_where", [](auto a, auto b) { return zero_where(a < b, a); });
  print<Real>("less", [](auto a, auto b) { return select(a < b, a, b + b); });
  print<Real>("less or equal", [](auto a, auto b) { return select(a <= b, a, b + b); });
  print<Real>("equal", [](auto a, auto b) { return select(a == b, a, b + b); });
  print<Real>("greater", [](auto a, auto b) { return select(a > b, a, b + b); });
  print<Real>("greater or equal", [](auto a, auto b) { return select(a >= b, a, b + b); });
}

}  // namespace

int main() {
  print_all<double>();
  print_all<float>();
  return widths_agree ? 0 : 1;
}
