// Workspace: kept from call to call, never shared by two at once, of any type of vector.
#include <descent/core/workspace.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace descent;
using namespace descent_test;
using Eigen::VectorXd;
using Eigen::VectorXf;

// A vector that is kept: itself and its coefficients, which Eigen has from malloc.
const std::int64_t blocks = counts_malloc() ? 2 : 1;

TEST_CASE("a workspace allocates once", "[workspace][allocation]") {
  const Workspace workspace;
  const VectorXd x = VectorXd::Zero(100), shorter = VectorXd::Zero(7);
  const auto use = [&](const auto& like) {
    return workspace.with(like, [&](auto& v) {
      v.setOnes();
      return static_cast<double>(v.sum());
    });
  };
  CHECK(allocated_by([&] { (void)use(x); }).count == blocks);
  CHECK(allocated_by([&] { CHECK(use(x) == 100); }) == Allocations{});
  CHECK(use(shorter) == 7);
  CHECK(allocated_by([&] { (void)use(shorter); }) == Allocations{});
  CHECK(use(VectorXf::Zero(5).eval()) == 5);
  CHECK(use(Eigen::MatrixXd::Zero(3, 4).eval()) == 12);
  CHECK(use(x) == 100);
  const Workspace fresh;
  CHECK(allocated_by([&] {
          fresh.with(Eigen::Vector3d(1, 2, 3), [](Eigen::Vector3d& v) { v.setZero(); });
        }) == Allocations{});
}

TEST_CASE("what is kept for one type is not given for another", "[workspace]") {
  struct One {
    enum { SizeAtCompileTime = Eigen::Dynamic };
    int number = 1;
    void resizeLike(const One&) {}
  };
  struct Two {
    enum { SizeAtCompileTime = Eigen::Dynamic };
    int number = 2;
    void resizeLike(const Two&) {}
  };
  const Workspace workspace;
  CHECK(workspace.with(One(), [](One& one) { return one.number; }) == 1);
  CHECK(workspace.with(Two(), [](Two& two) { return two.number; }) == 2);
}

TEST_CASE("a workspace in use is not given twice", "[workspace]") {
  const Workspace workspace;
  const VectorXd x = VectorXd::Zero(3);
  const std::int64_t before = blocks_in_use();
  workspace.with(x, [&](VectorXd& outer) {
    outer.setOnes();
    workspace.with(x, [&](VectorXd& inner) {
      CHECK(inner.data() != outer.data());
      inner.setConstant(2);
    });
    CHECK(outer == VectorXd::Ones(3));
  });
  CHECK(blocks_in_use() - before == blocks);  // one vector is kept
  CHECK_THROWS_AS(workspace.with(x, [](VectorXd&) { throw std::runtime_error("no"); }),
                  std::runtime_error);
  CHECK(allocated_by([&] { workspace.with(x, [](VectorXd&) {}); }) == Allocations{});
}

TEST_CASE("copies begin with nothing", "[workspace]") {
  const VectorXd x = VectorXd::Zero(3);
  const std::int64_t before = blocks_in_use();
  {
    Workspace one;
    one.with(x, [](VectorXd&) {});
    const Workspace copy = one;
    CHECK(blocks_in_use() - before == blocks);
    Workspace other;
    other.with(x, [](VectorXd&) {});
    other = one;
    CHECK(blocks_in_use() - before == 2 * blocks);
  }
  CHECK(blocks_in_use() == before);
}

TEST_CASE("calls may run at the same time", "[workspace]") {
  const Workspace workspace;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const VectorXd x = VectorXd::Zero(50), mine = VectorXd::Constant(50, double(t));
      for (int turn = 0; turn < 2000; ++turn) {
        workspace.with(x, [&](VectorXd& v) {
          v = mine;
          if (turn % 8 == 0) std::this_thread::yield();
          wrong[t] += v != mine;
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}
