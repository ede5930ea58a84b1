// Every rule of optimizer/ that is one formula for each coefficient, written again by hand as a loop over numbers, and the
// same to the bit, in float and in double.
//
// covers: qhm
#include "support/bits.hpp"
#include "support/catch.hpp"

#include <descent/engine/power.hpp>
#include <descent/optimizer/adabelief.hpp>
#include <descent/optimizer/adabound.hpp>
#include <descent/optimizer/adadelta.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/qhm.hpp>
#include <descent/optimizer/radam.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/rprop.hpp>
#include <descent/optimizer/sign_descent.hpp>
#include <descent/optimizer/sm3.hpp>
#include <descent/optimizer/yogi.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

using namespace descent;
using descent_test::Numbers;
using descent_test::same_bits;

namespace {

constexpr Eigen::Index n = 37;
constexpr int steps = 300;

// 1 - beta^t, right to one unit in the last place (tests/engine/power.test.cpp).
double corrected(double beta, std::int64_t t) {
  return OneMinusPower(beta)(t);
}
template <class Real>
Real sign(Real x) {
  return x > 0 ? Real(1) : x < 0 ? Real(-1) : x;
}

// What each rule has in common: its options, rounded to Real once.
template <class Real, class Options>
struct Rule {
  Options o;
  static Real r(double value) { return static_cast<Real>(value); }
  double eta(std::int64_t t) const { return o.learning_rate(t - 1); }
  Real down(std::int64_t t) const { return r(-eta(t)); }  // minus the rate
  Real l2(Real g, Real x) const { return o.weight_decay == 0 ? g : g + r(o.weight_decay) * x; }
};

// And what those with two moments have.
template <class Real, class Options>
struct Moments : Rule<Real, Options> {
  Real m = 0, v = 0;
  void average(Real g) {
    m = this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * g;
    v = this->r(this->o.beta2) * v + this->r(1 - this->o.beta2) * (g * g);
  }
  double c1(std::int64_t t) const { return corrected(this->o.beta1, t); }
  double root2(std::int64_t t) const { return std::sqrt(corrected(this->o.beta2, t)); }
};

// rule.step(t, x, g) returns the new x of one coefficient.
template <template <class> class O, template <class> class R, class Options>
void check(const std::vector<Options>& all) {
  for (std::size_t k = 0; k < all.size(); ++k) {
    const auto run = [&](auto real) {
      using Real = decltype(real);
      using V = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
      O<V> optimizer(all[k]);
      const R<Real> first = [&] {
        if constexpr (std::is_base_of_v<Moments<Real, Options>, R<Real>>)
          return R<Real>{{{all[k]}}};
        else
          return R<Real>{{all[k]}};
      }();
      std::vector<R<Real>> loop(std::size_t(n), first);
      V x = Numbers(1).vector<Real>(n), y = x;
      Numbers numbers(2);
      int same = 0;
      for (int t = 1; t <= steps; ++t) {
        V g = x + numbers.vector<Real>(n);
        if (t % 7 == 0) g.setZero();
        optimizer.step(x, g);
        for (Eigen::Index i = 0; i < n; ++i) y[i] = loop[std::size_t(i)].step(t, y[i], g[i]);
        same += same_bits(x, y);
      }
      CAPTURE(k, sizeof real);
      CHECK(same == steps);
      CHECK(x.allFinite());
    };
    run(0.0);
    run(0.0f);
  }
}

double falling(std::int64_t k) {
  return 0.05 / (1 + 0.125 * static_cast<double>(k));
}

}  // namespace

// ---- sums and averages of squares ------------------------------------------------------------------

template <class Real>
struct ScalarAdagrad : Rule<Real, AdagradOptions> {
  Real s = Real(this->o.initial_accumulator_value);
  Real step(std::int64_t t, Real x, Real g) {
    g = this->l2(g, x);
    s = s + g * g;
    const Real factor = this->r(1 / (1 + double(t - 1) * this->o.learning_rate_decay));
    return x + this->down(t) * ((factor * g) / (std::sqrt(s) + this->r(this->o.epsilon)));
  }
};

template <class Real>
struct ScalarAdadelta : Rule<Real, AdadeltaOptions> {
  Real s = 0, a = 0;
  Real step(std::int64_t t, Real x, Real g) {
    g = this->l2(g, x);
    const Real rho = this->r(this->o.rho), gain = this->r(1 - this->o.rho),
               e = this->r(this->o.epsilon);
    s = rho * s + gain * (g * g);
    const Real d = (std::sqrt(a + e) / std::sqrt(s + e)) * g;
    a = rho * a + gain * (d * d);
    return x + this->down(t) * d;
  }
};

template <class Real>
struct ScalarRMSprop : Rule<Real, RMSpropOptions> {
  Real s = 0, m = 0, b = 0;
  Real step(std::int64_t t, Real x, Real g) {
    g = this->l2(g, x);
    const Real alpha = this->r(this->o.alpha), gain = this->r(1 - this->o.alpha);
    s = alpha * s + gain * (g * g);
    m = alpha * m + gain * g;
    const Real variance = this->o.centered ? std::max(s - m * m, Real(0)) : s;
    const Real d = g / (std::sqrt(variance) + this->r(this->o.epsilon));
    b = this->r(this->o.momentum) * b + d;
    return x + this->down(t) * (this->o.momentum == 0 ? d : b);
  }
};

template <class Real>
struct ScalarSM3 : Rule<Real, SM3Options> {
  Real s = 0, m = 0;
  Real step(std::int64_t t, Real x, Real g) {
    s = s + g * g;
    const Real u = s == 0 ? 0 : g / std::sqrt(s + this->r(this->o.epsilon));
    m = this->r(this->o.momentum) * m + this->r(1 - this->o.momentum) * u;
    return x + this->down(t) * m;
  }
};

TEST_CASE("Adagrad, Adadelta, RMSprop and SM3 are plain loops, to the bit", "[scalar]") {
  check<Adagrad, ScalarAdagrad, AdagradOptions>(
      {{},
       {.learning_rate = 0.5, .learning_rate_decay = 0.01, .weight_decay = 0.1},
       {.learning_rate = falling, .initial_accumulator_value = 0.25, .epsilon = 1e-3}});
  check<Adadelta, ScalarAdadelta, AdadeltaOptions>(
      {{}, {.learning_rate = falling, .rho = 0.5, .epsilon = 1e-3, .weight_decay = 0.1}});
  check<RMSprop, ScalarRMSprop, RMSpropOptions>(
      {{},
       {.learning_rate = falling, .alpha = 0.9, .epsilon = 1e-3, .weight_decay = 0.1},
       {.learning_rate = 1e-3, .momentum = 0.9},
       {.learning_rate = 1e-3, .alpha = 0.9, .centered = true},
       {.learning_rate = 1e-3, .weight_decay = 0.1, .momentum = 0.5, .centered = true}});
  check<SM3, ScalarSM3, SM3Options>(
      {{}, {.learning_rate = falling, .momentum = 0.5, .epsilon = 0}});
}

// ---- Adam's relatives ------------------------------------------------------------------------------

template <class Real>
struct ScalarAdaMax : Rule<Real, AdaMaxOptions> {
  Real m = 0, u = 0;
  Real step(std::int64_t t, Real x, Real g) {
    g = this->l2(g, x);
    m = this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * g;
    u = std::max(this->r(this->o.beta2) * u, std::abs(g) + this->r(this->o.epsilon));
    return x + this->down(t) * ((this->r(1 / corrected(this->o.beta1, t)) * m) / u);
  }
};

template <class Real>
struct ScalarNAdam : Moments<Real, NAdamOptions> {
  double product = 1;
  double mu(std::int64_t t) const {
    const double c = std::pow(0.96, this->o.momentum_decay);
    return 0.5 * this->o.beta1 * (1 + corrected(c, t));
  }
  Real step(std::int64_t t, Real x, Real g) {
    const bool decoupled = this->o.decoupled_weight_decay;
    const Real d = decoupled ? g : this->l2(g, x);
    this->average(d);
    product *= mu(t);
    const double root = this->root2(t);
    const Real cg = this->r(root * ((1 - mu(t)) / (1 - product))),
               cm = this->r(root * (mu(t + 1) / (1 - product * mu(t + 1))));
    const Real u = (cg * d + cm * this->m) / (std::sqrt(this->v) + this->r(this->o.epsilon * root));
    return x + this->down(t) * (decoupled ? this->l2(u, x) : u);
  }
};

template <class Real>
struct ScalarRAdam : Moments<Real, RAdamOptions> {
  Real step(std::int64_t t, Real x, Real g) {
    this->average(this->l2(g, x));
    const double c2 = corrected(this->o.beta2, t), limit = 2 / (1 - this->o.beta2) - 1;
    const double rho = limit - 2 * double(t) * (1 - c2) / c2;
    if (!(rho > 5)) return x + this->down(t) * (this->r(1 / this->c1(t)) * this->m);
    const double r =
        std::sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho) * c2);
    return x + this->down(t) * ((this->r(r / this->c1(t)) * this->m) /
                                (std::sqrt(this->v) + this->r(this->o.epsilon)));
  }
};

template <class Real>
struct ScalarAdaBelief : Rule<Real, AdaBeliefOptions> {
  Real m = 0, s = 0;
  Real step(std::int64_t t, Real x, Real g) {
    m = this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * g;
    s = this->r(this->o.beta2) * s + this->r(1 - this->o.beta2) * ((g - m) * (g - m)) +
        this->r(this->o.epsilon_root);
    const double root = std::sqrt(corrected(this->o.beta2, t));
    const Real u = (this->r(root / corrected(this->o.beta1, t)) * m) /
                   (std::sqrt(s) + this->r(this->o.epsilon * root));
    return x + this->down(t) * this->l2(u, x);
  }
};

template <class Real>
struct ScalarYogi : Rule<Real, YogiOptions> {
  Real m = Real(this->o.initial_accumulator_value), v = m;
  Real step(std::int64_t t, Real x, Real g) {
    m = this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * g;
    v = v - (this->r(1 - this->o.beta2) * sign(v - g * g)) * (g * g);
    const double root = std::sqrt(corrected(this->o.beta2, t));
    return x + this->down(t) * ((this->r(root / corrected(this->o.beta1, t)) * m) /
                                (std::sqrt(v) + this->r(this->o.epsilon * root)));
  }
};

template <class Real>
struct ScalarAdaBound : Moments<Real, AdaBoundOptions> {
  Real largest = 0;
  Real step(std::int64_t t, Real x, Real g) {
    this->average(this->l2(g, x));
    largest = std::max(largest, this->v);
    const double final_rate =
        this->o.final_learning_rate * (this->eta(t) / this->o.learning_rate(0));
    const double gt = this->o.gamma * double(t);
    const Real second = this->o.amsbound ? largest : this->v;
    const Real rate = this->r(this->eta(t) * (this->root2(t) / this->c1(t))) /
                      (std::sqrt(second) + this->r(this->o.epsilon));
    return x - std::clamp(rate, this->r(final_rate * (1 - 1 / (1 + gt))),
                          this->r(final_rate * (1 + 1 / gt))) *
                   this->m;
  }
};

template <class Real>
struct ScalarQHAdam : Moments<Real, QHAdamOptions> {
  Real step(std::int64_t t, Real x, Real g) {
    const bool decoupled = this->o.decoupled_weight_decay;
    const Real d = decoupled ? g : this->l2(g, x);
    this->average(d);
    const Real cm = this->r(this->o.nu1 / this->c1(t)),
               cv = this->r(this->o.nu2 / corrected(this->o.beta2, t));
    const Real u =
        (this->r(1 - this->o.nu1) * d + cm * this->m) /
        (std::sqrt(this->r(1 - this->o.nu2) * (d * d) + cv * this->v) + this->r(this->o.epsilon));
    return x + this->down(t) * (decoupled ? this->l2(u, x) : u);
  }
};

template <class Real>
struct ScalarAdEMAMix : Moments<Real, AdEMAMixOptions> {
  Real slow = 0;
  Real step(std::int64_t t, Real x, Real g) {
    this->average(g);
    slow = this->r(this->o.beta3) * slow + this->r(1 - this->o.beta3) * g;
    const double root = this->root2(t);
    const Real u = (this->r(root / this->c1(t)) * this->m + this->r(root * this->o.alpha) * slow) /
                   (std::sqrt(this->v) + this->r(this->o.epsilon * root));
    return x + this->down(t) * this->l2(u, x);
  }
};

template <class Real>
struct ScalarADOPT : Rule<Real, ADOPTOptions> {
  Real m = 0, v = 0;
  Real step(std::int64_t t, Real x, Real g) {
    if (t == 1) {
      v = g * g;
      return x + this->down(t) * this->l2(0, x);
    }
    Real u = g / std::max(std::sqrt(v), this->r(this->o.epsilon));
    const Real bound = this->r(std::sqrt(std::sqrt(double(t - 1))));
    if (this->o.clip) u = std::clamp(u, -bound, bound);
    m = this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * u;
    v = this->r(this->o.beta2) * v + this->r(1 - this->o.beta2) * (g * g);
    return x + this->down(t) * this->l2(m, x);
  }
};

template <class Real>
struct ScalarAdan : Rule<Real, AdanOptions> {
  Real m = 0, v = 0, s = 0, last = 0;
  Real step(std::int64_t t, Real x, Real g) {
    const Real b2 = this->r(this->o.beta2), d = t == 1 ? 0 : g - last, ahead = g + b2 * d;
    m = this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * g;
    v = b2 * v + this->r(1 - this->o.beta2) * d;
    s = this->r(this->o.beta3) * s + this->r(1 - this->o.beta3) * (ahead * ahead);
    last = g;
    const double root = std::sqrt(corrected(this->o.beta3, t));
    const Real cm = this->r(root / corrected(this->o.beta1, t)),
               cv = this->r(this->o.beta2 * (root / corrected(this->o.beta2, t)));
    const Real u = (cm * m + cv * v) / (std::sqrt(s) + this->r(this->o.epsilon * root));
    if (!this->o.proximal) return x + this->down(t) * this->l2(u, x);
    return this->r(1 / (1 + this->eta(t) * this->o.weight_decay)) * (x + this->down(t) * u);
  }
};

TEST_CASE("Adam's relatives are plain loops, to the bit", "[scalar]") {
  check<AdaMax, ScalarAdaMax, AdaMaxOptions>({{},
                                              {.learning_rate = falling,
                                               .beta1 = 0.5,
                                               .beta2 = 0.9,
                                               .epsilon = 0.125,
                                               .weight_decay = 0.1}});
  check<NAdam, ScalarNAdam, NAdamOptions>(
      {{},
       {.learning_rate = falling,
        .beta1 = 0.5,
        .beta2 = 0.9,
        .epsilon = 0.125,
        .weight_decay = 0.1},
       {.weight_decay = 0.1, .momentum_decay = 0.5, .decoupled_weight_decay = true}});
  check<RAdam, ScalarRAdam, RAdamOptions>({{},
                                           {.learning_rate = falling,
                                            .beta1 = 0.5,
                                            .beta2 = 0.9,
                                            .epsilon = 0.125,
                                            .weight_decay = 0.1},
                                           {.beta2 = 0.5}});
  check<AdaBelief, ScalarAdaBelief, AdaBeliefOptions>({{},
                                                       {.learning_rate = falling,
                                                        .beta1 = 0.5,
                                                        .beta2 = 0.9,
                                                        .epsilon = 0.125,
                                                        .epsilon_root = 1e-3,
                                                        .weight_decay = 0.1}});
  check<Yogi, ScalarYogi, YogiOptions>({{},
                                        {.learning_rate = falling,
                                         .beta1 = 0.5,
                                         .beta2 = 0.9,
                                         .epsilon = 0.125,
                                         .initial_accumulator_value = 0.25}});
  check<AdaBound, ScalarAdaBound, AdaBoundOptions>(
      {{},
       {.learning_rate = falling, .beta1 = 0.5, .beta2 = 0.9, .gamma = 0.01, .weight_decay = 0.1},
       {.learning_rate = 0.01, .beta2 = 0.5, .final_learning_rate = 0.05, .amsbound = true}});
  check<QHAdam, ScalarQHAdam, QHAdamOptions>(
      {{},
       {.learning_rate = falling, .beta1 = 0.5, .beta2 = 0.9, .nu2 = 0.8, .weight_decay = 0.1},
       {.nu1 = 1, .nu2 = 0, .epsilon = 0.1, .weight_decay = 0.1, .decoupled_weight_decay = true}});
  check<AdEMAMix, ScalarAdEMAMix, AdEMAMixOptions>({{},
                                                    {.learning_rate = falling,
                                                     .beta1 = 0.5,
                                                     .beta2 = 0.9,
                                                     .beta3 = 0.99,
                                                     .alpha = 2,
                                                     .epsilon = 0.125,
                                                     .weight_decay = 0.1}});
  check<ADOPT, ScalarADOPT, ADOPTOptions>(
      {{},
       {.learning_rate = falling, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 0.5, .weight_decay = 0.1},
       {.learning_rate = 1e-4, .clip = false}});
  check<Adan, ScalarAdan, AdanOptions>(
      {{},
       {.learning_rate = falling, .beta1 = 0.9, .beta2 = 0.8, .beta3 = 0.95, .weight_decay = 0.1},
       {.epsilon = 0.125, .weight_decay = 0.1, .proximal = false}});
}

// ---- signs, momentum, averages ---------------------------------------------------------------------

template <class Real>
struct ScalarLion : Rule<Real, LionOptions> {
  Real m = 0;
  Real step(std::int64_t t, Real x, Real g) {
    const Real u = sign(this->r(this->o.beta1) * m + this->r(1 - this->o.beta1) * g);
    m = this->r(this->o.beta2) * m + this->r(1 - this->o.beta2) * g;
    return x + this->down(t) * this->l2(u, x);
  }
};

template <class Real>
struct ScalarSignDescent : Rule<Real, SignDescentOptions> {
  Real m = 0;
  Real step(std::int64_t t, Real x, Real g) {
    m = this->r(this->o.momentum) * m + this->r(1 - this->o.momentum) * g;
    return x + this->down(t) * this->l2(sign(m), x);
  }
};

template <class Real>
struct ScalarRprop : Rule<Real, RpropOptions> {
  Real last = 0, size = Real(this->o.learning_rate(0));
  Real step(std::int64_t t, Real x, Real g) {
    const Real s = g * last;
    if (s > 0) size = size * this->r(this->o.eta_plus);
    if (s < 0) size = size * this->r(this->o.eta_minus);
    size = std::clamp(size, this->r(this->o.step_min), this->r(this->o.step_max));
    last = s < 0 ? 0 : g;
    return x - sign(last) * (this->r(this->eta(t) / this->eta(1)) * size);
  }
};

template <class Real>
struct ScalarQHM : Rule<Real, QHMOptions> {
  Real b = 0;
  Real step(std::int64_t t, Real x, Real g) {
    g = this->l2(g, x);
    b = this->r(this->o.momentum) * b + this->r(1 - this->o.momentum) * g;
    return x + this->down(t) * (this->r(1 - this->o.nu) * g + this->r(this->o.nu) * b);
  }
};

template <class Real>
struct ScalarOptimistic : Rule<Real, OptimisticDescentOptions> {
  Real last = 0;
  Real step(std::int64_t t, Real x, Real g) {
    const Real before = t == 1 ? g : last;
    last = g;
    return x + this->down(t) *
                   (this->r(this->o.alpha + this->o.beta) * g - this->r(this->o.beta) * before);
  }
};

template <class Real>
struct ScalarASGD : Rule<Real, ASGDOptions> {
  Real step(std::int64_t t, Real x, Real g) {
    g = this->l2(g, x);
    const double lambda = this->o.lambda, growth = 1 + lambda * this->eta(t) * double(t - 1);
    const double power = this->o.alpha == 0.75 ? std::sqrt(growth) * std::sqrt(std::sqrt(growth))
                                               : std::pow(growth, this->o.alpha);
    const double eta = this->eta(t) / power;
    return x + (this->r(-lambda * eta) * x + this->r(-eta) * g);
  }
};

TEST_CASE("Lion, sign descent, Rprop, QHM, optimistic descent and ASGD are plain loops, to the bit",
          "[scalar]") {
  check<Lion, ScalarLion, LionOptions>(
      {{}, {.learning_rate = falling, .beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.1}});
  check<SignDescent, ScalarSignDescent, SignDescentOptions>(
      {{},
       {.learning_rate = falling, .weight_decay = 0.1},
       {.learning_rate = falling, .momentum = 0.9, .weight_decay = 0.1}});
  check<Rprop, ScalarRprop, RpropOptions>({{},
                                           {.learning_rate = falling},
                                           {.learning_rate = 0.1,
                                            .eta_minus = 0.3,
                                            .eta_plus = 1.5,
                                            .step_min = 1e-3,
                                            .step_max = 0.25}});
  check<QHM, ScalarQHM, QHMOptions>(
      {{.learning_rate = 0.1},
       {.learning_rate = falling, .momentum = 0.9, .nu = 0.3, .weight_decay = 0.1},
       {.learning_rate = 0.1, .momentum = 0.5, .nu = 1}});
  check<OptimisticDescent, ScalarOptimistic, OptimisticDescentOptions>(
      {{}, {.learning_rate = falling, .alpha = 0.5, .beta = 2}});
  check<ASGD, ScalarASGD, ASGDOptions>(
      {{},
       {.learning_rate = falling, .lambda = 0.1, .alpha = 0.6, .start = 10, .weight_decay = 0.1}});
}
