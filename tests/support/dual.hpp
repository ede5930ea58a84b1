// Forward derivatives for the problems of the tests.
#ifndef DESCENT_TESTS_SUPPORT_DUAL_HPP
#define DESCENT_TESTS_SUPPORT_DUAL_HPP

#include <Eigen/Core>

#include <cmath>

namespace descent_test {

// A number with its derivatives by up to eleven parameters.
struct Dual {
  double value = 0;
  Eigen::Array<double, 11, 1> by = Eigen::Array<double, 11, 1>::Zero();

  Dual() = default;
  Dual(double v) : value(v) {}
  Dual chain(double v, double slope) const {
    Dual result(v);
    result.by = slope * by;
    return result;
  }
  friend Dual operator+(const Dual& a, const Dual& b) {
    Dual r(a.value + b.value);
    r.by = a.by + b.by;
    return r;
  }
  friend Dual operator-(const Dual& a, const Dual& b) {
    Dual r(a.value - b.value);
    r.by = a.by - b.by;
    return r;
  }
  friend Dual operator*(const Dual& a, const Dual& b) {
    Dual r(a.value * b.value);
    r.by = a.value * b.by + b.value * a.by;
    return r;
  }
  friend Dual operator/(const Dual& a, const Dual& b) {
    Dual r(a.value / b.value);
    r.by = (a.by - r.value * b.by) / b.value;
    return r;
  }
  friend Dual operator-(const Dual& a) { return a.chain(-a.value, -1); }
  friend Dual exp(const Dual& a) { return a.chain(std::exp(a.value), std::exp(a.value)); }
  friend Dual log(const Dual& a) { return a.chain(std::log(a.value), 1 / a.value); }
  friend Dual sin(const Dual& a) { return a.chain(std::sin(a.value), std::cos(a.value)); }
  friend Dual cos(const Dual& a) { return a.chain(std::cos(a.value), -std::sin(a.value)); }
  friend Dual atan(const Dual& a) {
    return a.chain(std::atan(a.value), 1 / (1 + a.value * a.value));
  }
  friend Dual sqrt(const Dual& a) { return a.chain(std::sqrt(a.value), 0.5 / std::sqrt(a.value)); }
};
inline Dual square(const Dual& a) {
  return a * a;
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_DUAL_HPP
