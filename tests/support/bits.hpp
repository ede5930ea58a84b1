// Bits: what tests compare where "nearly equal" is not enough, and data that is the same everywhere.
#ifndef DESCENT_TESTS_SUPPORT_BITS_HPP
#define DESCENT_TESTS_SUPPORT_BITS_HPP

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace descent_test {

template <class T>
requires std::is_arithmetic_v<T>
void append_bits(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}
template <class D>
void append_bits(std::string& to, const Eigen::DenseBase<D>& values) {
  for (Eigen::Index j = 0; j < values.cols(); ++j)
    for (Eigen::Index i = 0; i < values.rows(); ++i) append_bits(to, values(i, j));
}

/// Whether two numbers, or all coefficients of two vectors or matrices, have the same bits: -0 is
/// not 0, and a NaN is itself.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  std::string of_a, of_b;
  append_bits(of_a, a);
  append_bits(of_b, b);
  return of_a == of_b;
}

/// G. Fowler, L. C. Noll and K.-P. Vo's hash (FNV-1a, 64 bits).
inline std::uint64_t hash(const std::string& bytes) {
  std::uint64_t h = 14695981039346656037u;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return h;
}

/// Numbers in [-1, 1) that are exact in float and the same on every machine (a linear congruential
/// generator's upper bits).
class Numbers {
  std::uint64_t state_;

 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 2862933555777941757u + 3037000493u) {}

  double operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<std::int64_t>(state_ >> 40) - (1 << 23)) / (1 << 23);
  }
  template <class V>
  void fill(V&& values) {
    using Real = typename std::remove_reference_t<V>::Scalar;
    for (Eigen::Index j = 0; j < values.cols(); ++j)
      for (Eigen::Index i = 0; i < values.rows(); ++i) values(i, j) = static_cast<Real>((*this)());
  }
  template <class Real>
  Eigen::Matrix<Real, Eigen::Dynamic, 1> vector(Eigen::Index size) {
    Eigen::Matrix<Real, Eigen::Dynamic, 1> values(size);
    fill(values);
    return values;
  }
};

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_BITS_HPP
