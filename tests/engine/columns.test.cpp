#include <descent/engine/columns.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>

using descent::Columns;
using descent::lane_width;
using Eigen::Index;

namespace {

template <class Real>
using Dynamic = Columns<Real, Eigen::Dynamic, 3>;

template <class Real>
void check_dynamic() {
  for (const Index n : {0,   1,   2,   7,   8,    9,    100,  127,  128,  200,  255, 256,
                        257, 511, 512, 513, 1000, 1023, 1024, 1500, 2048, 4096, 5000}) {
    Dynamic<Real> c;
    CHECK(c.size() == 0);
    CHECK(c.count() == 0);
    c.resize(n, 3);
    CAPTURE(n, sizeof(Real));
    CHECK(c.size() == n);
    CHECK(c.count() == 3);
    CHECK(c.stride() >= n);
    CHECK(c.stride() % lane_width<Real> == 0);
    const Index lanes = (n + lane_width<Real> - 1) / lane_width<Real> * lane_width<Real>;
    bool zero = true;
    for (std::size_t k = 0; k < 3; ++k)  // with the padding, which is loaded with them
      for (Index i = 0; i < lanes; ++i) zero = zero && c.column(k)[i] == 0;
    CHECK(zero);
    if (n == 0) continue;
    CHECK(c.column(1) - c.column(0) == c.stride());
    // Columns that fill half a page or more do not begin at one place of their pages.
    if (2 * c.stride() * Index(sizeof(Real)) >= 4096)
      CHECK(c.stride() * Index(sizeof(Real)) % 4096 == 1088);
    else
      CHECK(c.stride() == lanes);

    // Equality is about coefficients, and not about the padding.
    Dynamic<Real> d = c;
    CHECK(c == d);
    d.column(2)[n - 1] = 1;
    CHECK_FALSE(c == d);
    d.column(2)[n - 1] = 0;
    CHECK(c == d);
    d.column(0)[0] = 1;
    CHECK_FALSE(c == d);
    CHECK(c.column(0)[0] == 0);  // a copy is a copy
    d.column(0)[0] = Real(-0.0);
    CHECK(c == d);
    if (c.stride() > n) {
      c.column(0)[n] = 7;
      CHECK(c == d);
    }
    d.column(1)[0] = std::numeric_limits<Real>::quiet_NaN();
    CHECK_FALSE(d == d);
    // A new size forgets everything, whether there is room or not.
    d.resize(n, 2);
    CHECK(d.count() == 2);
    CHECK(d.column(1)[0] == 0);
    CHECK_FALSE(c == d);
    d.resize(n + 100, 3);
    CHECK_FALSE(c == d);
    d.resize(0, 0);
    CHECK(d == Dynamic<Real>{});
  }
}

}  // namespace

TEST_CASE("columns begin as zeros, padded to whole lanes", "[columns]") {
  check_dynamic<double>();
  check_dynamic<float>();
}

TEST_CASE("columns of fixed size live inside of the object", "[columns]") {
  Columns<double, 3, 2> c;
  CHECK(c.size() == 3);
  CHECK(c.count() == 0);
  c.resize(3, 2);
  CHECK(c.count() == 2);
  const auto inside = [&](const void* p) {
    const auto address = reinterpret_cast<std::uintptr_t>(p),
               begin = reinterpret_cast<std::uintptr_t>(&c);
    return begin <= address && address < begin + sizeof c;
  };
  CHECK(inside(c.column(0)));
  CHECK(inside(c.column(1) + c.stride() - 1));
  c.column(1)[2] = 5;
  auto d = c;
  CHECK(d == c);
  d.column(1)[2] = 6;
  CHECK_FALSE(d == c);
  d.resize(3, 2);
  CHECK(d.column(1)[2] == 0);
  CHECK(sizeof(Columns<double, 3, 0>) < sizeof(Columns<double, 3, 2>));
}
