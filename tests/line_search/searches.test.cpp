// All line searches: what they promise of the step holds, they need few trials, and no function is too bad for them.
// covers: armijo strong_wolfe hager_zhang fixed_step
#include <descent/line_search/armijo.hpp>
#include <descent/line_search/fixed_step.hpp>
#include <descent/line_search/hager_zhang.hpp>
#include <descent/line_search/strong_wolfe.hpp>

#include "support/catch.hpp"
#include "support/lines.hpp"

#include <cmath>
#include <limits>

using namespace descent;
using namespace descent_test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

template <class Check>
void with_each_search(const Check& check) {
  check("armijo", armijo());
  check("strong_wolfe", strong_wolfe());
  check("hager_zhang", hager_zhang());
}

}  // namespace

TEST_CASE("the functions of Moré and Thuente, from far too short to far too long",
          "[line_search]") {
  int worst_wolfe = 0, worst_hz = 0;
  for (const Phi& phi : more_thuente()) {
    for (const double first : {1e-3, 1e-1, 1e1, 1e3}) {
      CAPTURE(phi.name, first);
      for (const double curvature : {0.1, 0.9}) {
        CAPTURE(curvature);
        const double decrease = 0.001;
        const auto strong = search_line<false>(
            phi, strong_wolfe({.decrease = decrease, .curvature = curvature}), first);
        CHECK(strong.searched.found == Found::accepted);
        CHECK(strong.loss <= strong.start + decrease * strong.searched.t * strong.start_slope);
        CHECK(std::abs(strong.slope) <= curvature * std::abs(strong.start_slope));
        CHECK(strong.losses == strong.gradients);
        worst_wolfe = std::max(worst_wolfe, strong.losses);

        const auto hz = search_line<false>(
            phi, hager_zhang({.decrease = decrease, .curvature = curvature}), first);
        CHECK(hz.searched.found == Found::accepted);
        CHECK(hz.slope >= curvature * hz.start_slope);
        const bool wolfe = hz.loss <= hz.start + decrease * hz.searched.t * hz.start_slope;
        const bool approximate = hz.loss <= hz.start + 0x1p-35 * std::abs(hz.start) &&
                                 hz.slope <= (2 * decrease - 1) * hz.start_slope;
        CHECK((wolfe || approximate));
        worst_hz = std::max(worst_hz, hz.losses);
      }
      const auto back = search_line<true>(phi, armijo({.decrease = 0.001}), first);
      CHECK(back.searched.found == Found::accepted);
      CHECK(back.searched.t <= first);
      CHECK(back.loss <= back.start + 0.001 * back.searched.t * back.start_slope);
      CHECK(back.losses <= 16);
    }
  }
  CHECK(worst_wolfe <= 16);
  CHECK(worst_hz <= 20);
}

TEST_CASE("a step that is right is taken at once", "[line_search]") {
  const Phi bowl{"bowl", [](double t) { return (t - 1) * (t - 1); },
                 [](double t) { return 2 * (t - 1); }};
  with_each_search([&](const char* name, const auto& search) {
    CAPTURE(name);
    for (const double first : {0.8, 1.0, 1.2}) {
      const auto report = search_line<false>(bowl, search, first);
      CHECK(report.searched.t == first);
      CHECK(report.losses == 1);
    }
  });
  CHECK(search_line<false>(bowl, strong_wolfe({.curvature = 0.01}), 0.5).searched.t ==
        Approx(1).margin(0.01));
  CHECK(search_line<false>(bowl, hager_zhang({.curvature = 0.15}), 0.1).searched.t ==
        Approx(1).margin(0.15));
}

TEST_CASE("Armijo's search asks for no gradient but the last", "[line_search]") {
  const Phi steep{"steep", [](double t) { return std::cosh(20 * (t - 0.1)); },
                  [](double t) { return 20 * std::sinh(20 * (t - 0.1)); }};
  const auto report = search_line<true>(steep, armijo(), 10);
  CHECK(report.searched.found == Found::accepted);
  CHECK(report.losses == 3);
  CHECK(report.gradients == 1);
}

TEST_CASE("what is not finite is too long", "[line_search]") {
  for (const double beyond : {infinity, not_a_number, -not_a_number}) {
    for (const double edge : {1e-3, 0.3, 0.9, 1.01, 5.0}) {
      for (const double first : {1e-4, 1.0, 7.0, 1e9}) {
        const Phi phi = walled(edge, beyond);
        with_each_search([&](const char* name, const auto& search) {
          CAPTURE(name, edge, first, beyond);
          const auto report = search_line<true>(phi, search, first);
          CHECK(report.searched.found == Found::accepted);
          CHECK(report.searched.t < edge);
          CHECK(report.loss < report.start);
          CHECK(report.losses <= 41);
        });
      }
    }
  }
  const auto fixed = search_line<true>(walled(0.3, infinity), fixed_step(), 1);
  CHECK(fixed.searched.t == 0.25);
  // A gradient that is not finite, where the loss is.
  Phi phi = walled(infinity, 0);
  phi.slope = [](double t) { return t < 0.5 ? 2 * (t - 1) : not_a_number; };
  with_each_search([&](const char* name, const auto& search) {
    CAPTURE(name);
    const auto report = search_line<false>(phi, search, 1);
    CHECK(report.searched.found == Found::accepted);
    CHECK(report.searched.t < 0.5);
  });
}

TEST_CASE("functions without a step fail after a bounded number of trials", "[line_search]") {
  const auto slope = [](double) { return -1.0; };
  const Phi wrong_sign{"wrong sign", [](double t) { return t; }, slope},
      flat{"flat", [](double) { return 3.0; }, slope},
      only_here{"only here", [](double t) { return t == 0 ? 0.0 : not_a_number; }, slope};
  with_each_search([&](const char* name, const auto& search) {
    for (const Phi* phi : {&wrong_sign, &flat, &only_here}) {
      for (const double first : {1e-10, 1.0, 1e10}) {
        CAPTURE(name, phi->name, first);
        const auto report = search_line<false>(*phi, search, first);
        CHECK(report.searched.found == Found::failed);
        CHECK(report.losses <= 40);
        CHECK(search_line<false>(*phi, search, first, 3).losses <= 3);
      }
    }
  });
  CHECK(search_line<false>(only_here, fixed_step(), 1).searched.found == Found::failed);
}

TEST_CASE("a loss that falls without end is told from one that ends at a wall", "[line_search]") {
  const Phi line{"line", [](double t) { return -t; }, [](double) { return -1.0; }};
  const Phi abyss{"abyss", [](double t) { return t < 1e6 ? -t : -infinity; },
                  [](double) { return -1.0; }};
  const auto check = [&](const auto& search) {
    const auto on_line = search_line<false>(line, search, 1e290);
    CHECK(on_line.searched.found == Found::unbounded);  // t overflows
    CHECK(std::isfinite(on_line.searched.t));
    const auto into_abyss = search_line<false>(abyss, search, 1);
    CHECK(into_abyss.searched.found == Found::unbounded);
    CHECK(into_abyss.loss < -1e4);
    // Too long from the beginning is no proof.
    const auto first = search_line<false>(abyss, search, 1e9);
    CHECK(first.searched.found == Found::accepted);
    CHECK(first.loss < 0);
  };
  check(strong_wolfe());
  check(hager_zhang());
}

TEST_CASE("arguments of line searches outside of their ranges are refused", "[line_search]") {
  CHECK_THROWS_WITH(armijo({.decrease = 0}), "armijo: decrease must be in (0, 0.5), got 0");
  CHECK_THROWS_WITH(armijo({.max_trials = 0}), "armijo: max_trials must be at least 1, got 0");
  CHECK_THROWS_WITH(strong_wolfe({.decrease = 0.5}),
                    "strong_wolfe: decrease must be in (0, 0.5), got 0.5");
  CHECK_THROWS_WITH(strong_wolfe({.decrease = 0.2, .curvature = 0.1}),
                    "strong_wolfe: curvature must be in (0.2, 1), got 0.1");
  CHECK_THROWS_WITH(hager_zhang({.curvature = 1}),
                    "hager_zhang: curvature must be in [0.1, 1), got 1");
  CHECK_THROWS_WITH(hager_zhang({.expansion = 1}),
                    "hager_zhang: expansion must be in (1, inf), got 1");
  CHECK_THROWS_WITH(hager_zhang({.shrinkage = not_a_number}),
                    "hager_zhang: shrinkage must be in (0, 1), got nan");
  CHECK_THROWS_WITH(fixed_step({.step = 0}), "fixed_step: step must be in (0, inf), got 0");
}
