#include "support/allocations.hpp"

#include <Eigen/Core>

#include <memory>
#include <new>
#include <vector>

#include "support/catch.hpp"

using descent_test::allocated_by;
using descent_test::Allocations;

namespace {
struct alignas(64) Wide {
  char text[64];
};

// A pair of new and delete that nobody sees may be left out by the compiler.
const void* volatile seen;
}  // namespace

TEST_CASE("what is allocated is counted", "[allocation]") {
  CHECK(allocated_by([] {}) == Allocations{});
  CHECK(allocated_by([] { seen = std::vector<double>(100).data(); }) == Allocations{1, 800});
  CHECK(allocated_by([] { seen = std::make_unique<Wide>().get(); }) == Allocations{1, 64});
  CHECK(allocated_by([] { seen = std::unique_ptr<char[]>(new (std::nothrow) char[3]).get(); }) ==
        Allocations{1, 3});
  CHECK(allocated_by([] {
          Eigen::Vector4d v = Eigen::Vector4d::Zero();
          seen = v.data();
        }) == Allocations{});
  if (descent_test::counts_malloc()) {
    const Allocations eigen = allocated_by([] { seen = Eigen::VectorXd(100).data(); });
    CHECK(eigen.count == 1);
    CHECK(eigen.bytes >= 800);
  }
}
