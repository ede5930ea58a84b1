// hager_zhang: Wolfe's conditions, or the approximate ones that can still be seen close to a minimum,
//
//     φ(t) ≤ φ(0) + δ t φ′(0)  and  φ′(t) ≥ σ φ′(0),    or
//     φ(t) ≤ φ(0) + ε          and  (2δ − 1) φ′(0) ≥ φ′(t) ≥ σ φ′(0).
//
// Differences of losses drown in rounding at √(machine precision) from the minimum, slopes do not. W. W. Hager and H. Zhang,
// SIAM J. Optim. 16(1), 2005, section 4, with the secant² update of section 4 (S1-S4), bracketing B1-B3, U0-U3 and bisection
// when the interval has not shrunk by γ. ε is here a multiple of the scalar's precision times |φ(0)|, not 1e-6 of it.
#ifndef DESCENT_LINE_SEARCH_HAGER_ZHANG_HPP
#define DESCENT_LINE_SEARCH_HAGER_ZHANG_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/core/line_search.hpp"

namespace descent::inline v0 {

/// The options of `hager_zhang`.
struct HagerZhangOptions {
  double decrease = 0.1;         ///< δ, in (0, 0.5)
  double curvature = 0.9;        ///< σ, in [δ, 1)
  double expansion = 5;          ///< ρ, by which a step that is too short grows, in (1, ∞)
  double shrinkage = 0.66;       ///< γ, what an interval must shrink by, in (0, 1)
  std::int64_t max_trials = 40;  ///< evaluations in one search, at least 1
};

/// Loss and gradient are evaluated at every trial; mostly one trial is enough with a direction that has its length right.
class HagerZhang {
  HagerZhangOptions options_;

  /// One search: the interval [a, b] with φ(a) ≤ φ(0) + ε, φ′(a) < 0 and φ′(b) ≥ 0 or φ(b) too high.
  template <class L>
  struct Search {
    const HagerZhangOptions& options;
    L& line;
    Trial a = line.start(), b{};
    Trial last{};
    std::int64_t left = options.max_trials;
    bool done = false;

    bool low(const Trial& c) const { return c.loss <= line.start().loss + line.rounding(); }

    // Evaluates, and says whether the search is over.
    bool at(double t) {
      if (left-- <= 0 || !line.open()) return done = true;
      last = line(t);
      return done = last.slope >= options.curvature * line.start().slope &&
                    line.sufficient(last, options.decrease);
    }
    bool accepted() const { return last.t > 0 && last.finite() && wolfe(last); }
    bool wolfe(const Trial& c) const {
      return c.slope >= options.curvature * line.start().slope &&
             line.sufficient(c, options.decrease);
    }

    // U3: the slope at a is negative, and at b the loss is too high. True when over.
    bool divide() {
      while (!done) {
        const double part = b.finite() ? 0.5 : 0.2;
        if (at(a.t + part * (b.t - a.t))) break;
        if (last.slope >= 0) {
          b = last;
          break;
        }
        (low(last) ? a : b) = last;
      }
      return done;
    }
    // U0-U3: a smaller interval by what was found at `last`.
    bool update() {
      if (!(last.t > a.t && last.t < b.t)) return done;
      if (last.slope >= 0) {
        b = last;
      } else if (low(last)) {
        a = last;
      } else {
        b = last;
        return divide();
      }
      return done;
    }
    static double secant(const Trial& p, const Trial& q) {
      return (p.t * q.slope - q.t * p.slope) / (q.slope - p.slope);
    }
  };

 public:
  explicit HagerZhang(const HagerZhangOptions& options = {}) : options_(options) {
    constexpr std::string_view who = "hager_zhang";
    checked(who, "decrease", options.decrease,
            {.lower = 0, .upper = 0.5, .lower_open = true, .upper_open = true});
    checked(who, "curvature", options.curvature,
            {.lower = options.decrease, .upper = 1, .upper_open = true});
    checked(who, "expansion", options.expansion, {.lower = 1, .lower_open = true});
    checked(who, "shrinkage", options.shrinkage,
            {.lower = 0, .upper = 1, .lower_open = true, .upper_open = true});
    checked_count(who, "max_trials", options.max_trials, 1);
  }

  template <class L>
  Searched operator()(L& line, double first) const {
    Search<L> s{options_, line};
    double t = (std::min)(first, line.longest());
    // B1-B3: the step grows until there is an interval.
    for (;;) {
      if (s.at(t)) return end(s);
      if (s.last.slope >= 0) {
        s.b = s.last;
        break;
      }
      if (!s.low(s.last)) {
        if (s.last.beyond && s.a.t > 0) return {.found = Found::unbounded, .t = s.a.t};
        s.b = s.last;
        if (s.divide()) return end(s);
        break;
      }
      s.a = s.last;
      if (t == line.longest()) return {.found = Found::accepted, .t = t};
      t = (std::min)(options_.expansion * t, line.longest());
    }
    while (!s.done) {
      // L1 by secant²: S1-S4.
      const Trial a = s.a, b = s.b;
      const double c = Search<L>::secant(a, b);
      if (c > a.t && c < b.t) {
        if (s.at(c) || s.update()) break;
        const double again = s.b.t == c   ? Search<L>::secant(b, s.b)
                             : s.a.t == c ? Search<L>::secant(a, s.a)
                                          : c;
        if (again != c && again > s.a.t && again < s.b.t && (s.at(again) || s.update())) break;
      }
      // L2
      if (s.b.t - s.a.t > options_.shrinkage * (b.t - a.t)) {
        if (s.at(s.a.t + 0.5 * (s.b.t - s.a.t)) || s.update()) break;
      }
      if (!(s.b.t - s.a.t > 1e-15 * s.b.t)) break;
    }
    return end(s);
  }

 private:
  // Accepted; or else the best of the interval, if it descends.
  template <class L>
  Searched end(const Search<L>& s) const {
    if (s.accepted()) return {.found = Found::accepted, .t = s.last.t};
    return {.found = s.line.open() && s.line.descends(s.a) ? Found::accepted : Found::failed,
            .t = s.a.t};
  }
};

/// Throws `std::invalid_argument` outside the ranges above.
inline HagerZhang hager_zhang(const HagerZhangOptions& options = {}) {
  return HagerZhang(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_LINE_SEARCH_HAGER_ZHANG_HPP
