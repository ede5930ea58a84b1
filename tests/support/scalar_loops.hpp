// The optimizers as plain loops over numbers, written from their papers, with the slips that some texts contain.
#ifndef DESCENT_TESTS_SUPPORT_SCALAR_LOOPS_HPP
#define DESCENT_TESTS_SUPPORT_SCALAR_LOOPS_HPP

#include <descent/engine/power.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace descent_test {

#if defined(__SIZEOF_FLOAT128__)
__extension__ typedef __float128 Quad;  // 113 bits
#else
using Quad = long double;
#endif

/// 1 - beta^t by repeated squaring in 113 bits, rounded once.
inline double one_minus_power(double beta, std::int64_t t) {
  Quad power = 1, square = static_cast<Quad>(beta);
  for (; t > 0; t >>= 1, square = square * square) {
    if (t & 1) power = power * square;
  }
  return static_cast<double>(1 - power);
}

/// What some texts do to Adam.
enum class AdamSlip {
  none,
  rate_upside_down,     ///< alpha_t = alpha (1 - beta1^t)/(1 - beta2^t)
  corrected_twice,      ///< alpha_t on top of the corrected moments
  moments_not_stored,   ///< each step begins with m = v = 0
  not_corrected,        ///< m and v as they are
  epsilon_inside,       ///< sqrt(v + epsilon)
  first_moment_squared  ///< v of m instead of g
};

/// D. P. Kingma and J. Ba, 2015, Algorithm 1, and AdamW where `decoupled`.
template <class Real>
struct ScalarAdam {
  double rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0;
  bool amsgrad = false, folded = false, decoupled = false;
  AdamSlip slip = AdamSlip::none;
  std::int64_t t = 0;
  std::vector<Real> m{}, v{}, largest{};

  template <class X, class G>
  void step(X& x, const G& g) {
    const auto n = static_cast<std::size_t>(x.size());
    if (t++ == 0 || slip == AdamSlip::moments_not_stored) {
      m.assign(n, 0);
      v.assign(n, 0);
      largest.assign(n, 0);
    }
    // These two are the library's own, right to one unit in the last place (tests/engine), so that all else can be
    // held against it to the bit.
    const double bc1 = descent::OneMinusPower(beta1)(t), bc2 = descent::OneMinusPower(beta2)(t);
    // m-hat/(sqrt(v-hat) + epsilon) = k m/(sqrt(v) + epsilon root), as the library has it.
    const double root = std::sqrt(bc2);
    double k = root / bc1, added = folded ? epsilon : epsilon * root, alpha = rate;
    if (slip == AdamSlip::not_corrected || slip == AdamSlip::rate_upside_down) {
      k = 1;
      added = epsilon;
    }
    if (slip == AdamSlip::rate_upside_down) alpha *= bc1 / bc2;
    if (slip == AdamSlip::corrected_twice) alpha *= root / bc1;
    if (slip == AdamSlip::epsilon_inside) added = epsilon * bc2;
    const auto b1 = static_cast<Real>(beta1), a1 = static_cast<Real>(1 - beta1),
               b2 = static_cast<Real>(beta2), a2 = static_cast<Real>(1 - beta2),
               factor = static_cast<Real>(k), eps = static_cast<Real>(added),
               lambda = static_cast<Real>(decay), minus_rate = static_cast<Real>(-alpha);
    for (std::size_t i = 0; i < n; ++i) {
      Real& xi = x.data()[i];
      const Real gi = g.data()[i];
      const Real d = decoupled || decay == 0 ? gi : gi + lambda * xi;
      m[i] = b1 * m[i] + a1 * d;
      const Real e = slip == AdamSlip::first_moment_squared ? m[i] : d;
      v[i] = b2 * v[i] + a2 * (e * e);
      largest[i] = std::max(largest[i], v[i]);
      const Real second = amsgrad ? largest[i] : v[i];
      Real update = (factor * m[i]) / (slip == AdamSlip::epsilon_inside ? std::sqrt(second + eps)
                                                                        : std::sqrt(second) + eps);
      if (decoupled && decay != 0) update = update + lambda * xi;
      xi = xi + minus_rate * update;
    }
  }
};

enum class SgdSlip {
  none,
  divided_by_n,           ///< the gradient of one sample, divided by the number of samples
  rate_inside,            ///< the rate inside the sum: b = mu b + rate g
  dampened_at_once,       ///< dampening in the first step too
  nesterov_of_old_buffer  ///< g + mu b with the b of before the step
};

/// SGD as PyTorch writes it.
template <class Real>
struct ScalarSgd {
  double rate = 1e-3, momentum = 0, dampening = 0, decay = 0;
  bool nesterov = false;
  SgdSlip slip = SgdSlip::none;
  double samples = 1;  ///< n, for the slip
  std::int64_t t = 0;
  std::vector<Real> b{};

  template <class X, class G>
  void step(X& x, const G& g) {
    const auto n = static_cast<std::size_t>(x.size());
    if (t++ == 0) b.assign(n, 0);
    const bool inside = slip == SgdSlip::rate_inside;
    const auto mu = static_cast<Real>(momentum), lambda = static_cast<Real>(decay),
               gain = static_cast<Real>(
                   (t == 1 && slip != SgdSlip::dampened_at_once ? 1 : 1 - dampening) *
                   (inside ? rate : 1)),
               minus_rate = static_cast<Real>(inside ? -1 : -rate);
    for (std::size_t i = 0; i < n; ++i) {
      Real& xi = x.data()[i];
      Real d = g.data()[i];
      if (slip == SgdSlip::divided_by_n) d = d / static_cast<Real>(samples);
      if (decay != 0) d = d + lambda * xi;
      Real update = d;
      if (momentum != 0) {
        const Real old = b[i];
        b[i] = mu * b[i] + gain * d;
        update = nesterov ? d + mu * (slip == SgdSlip::nesterov_of_old_buffer ? old : b[i]) : b[i];
      }
      xi = xi + minus_rate * update;
    }
  }
};

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_SCALAR_LOOPS_HPP
