// Each allocation of an optimizer fails in its turn (row 17 of the trials): bad_alloc passes through, nothing has changed
// and nothing is lost, and the same call does what it should once there is memory.
#include <descent/engine/stepper.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/trace.hpp>

#include "support/allocations.hpp"
#include "support/any_optimizer.hpp"
#include "support/catch.hpp"

#include <Eigen/Core>

#include <cstddef>
#include <cstdint>
#include <vector>

using namespace descent_test;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

// The optimizers of the table, whose types are forgotten, and others alike.
template <class O>
bool same(const O& a, const O& b) {
  if constexpr (requires { a.state(); })
    return a.state() == b.state();
  else
    return a == b;
}
template <class O>
auto saved(const O& optimizer) {
  if constexpr (requires { optimizer.state(); })
    return optimizer.state();
  else
    return optimizer.save();
}
template <class O>
void assign(O& optimizer, const O& other) {
  if constexpr (requires { optimizer.assign(other); })
    optimizer.assign(other);
  else
    optimizer = other;
}

/// Lets each allocation of `act(optimizer, x)` fail on fresh copies. Says how many there were.
template <class O, class V, class Act>
std::int64_t fail_each(const O& before, const V& start, const Act& act) {
  O expected = before;
  V expected_x = start;
  act(expected, expected_x);
  for (std::int64_t k = 1;; ++k) {
    const std::int64_t in_use = blocks_in_use();
    Ending ending{};
    {
      O optimizer = before;
      V x = start;
      ending = out_of_memory(k, [&] { act(optimizer, x); });
      if (ending == Ending::thrown) {
        CHECK(x == start);
        CHECK(same(optimizer, before));
        CHECK(optimizer.learning_rate() == before.learning_rate());
        act(optimizer, x);
      }
      CHECK(x == expected_x);
      CHECK(same(optimizer, expected));
      // And what comes after it.
      O copy = expected;
      V copy_x = expected_x;
      optimizer.step(x, expected_x);
      copy.step(copy_x, expected_x);
      CHECK(x == copy_x);
    }
    CHECK(blocks_in_use() == in_use);
    if (ending != Ending::thrown) {
      CHECK(ending == Ending::untouched);
      return k - 1;
    }
  }
}

/// A rate whose copies need memory.
struct Table {
  std::vector<double> rates;
  double operator()(std::int64_t k) const { return rates[std::size_t(k) % rates.size()]; }
};

/// Whole: the update is multiplied by the mean of its columns so far. With matrices in its state.
struct ColumnMeans {
  struct State {
    MatrixXd sum, work;
    friend bool operator==(const State&, const State&) = default;
  };
  State init(Eigen::Index rows, Eigen::Index cols) const {
    return {MatrixXd::Zero(1, cols), MatrixXd::Zero(rows, cols)};
  }
  template <class U, class X>
  void apply(U&& update, const X&, State& state, const descent::StepInfo&) const {
    state.sum += update.colwise().mean();
    state.work = update;
    update = state.work.array().rowwise() * state.sum.row(0).array();
  }
};

/// All that may allocate.
template <class O, class V>
std::int64_t try_everything(const O& fresh, const V& small, const V& large) {
  std::int64_t failures = 0;
  O stepped = fresh;
  V x = large;
  stepped.step(x, large);
  stepped.step(x, large);
  const auto state = saved(stepped);

  failures += fail_each(fresh, small, [](O& o, V& p) { o.step(p, p); });
  failures += fail_each(fresh, small, [](O& o, V& p) { (void)o.advance(p, p, p, 0); });
  // Another size after a reset, where there is memory that is too small.
  O reset = fresh;
  V y = small;
  reset.step(y, small);
  reset.reset();
  failures += fail_each(reset, large, [](O& o, V& p) { o.step(p, p); });
  // A state of another size over one, and an optimizer over one.
  O other = fresh;
  V z = small;
  other.step(z, small);
  failures += fail_each(other, large, [&](O& o, V&) { o.restore(state); });
  failures += fail_each(fresh, large, [&](O& o, V&) { o.restore(state); });
  failures += fail_each(other, large, [&](O& o, V&) { assign(o, stepped); });
  failures += fail_each(
      stepped, large, [&](O& o, V&) { o.set_learning_rate(Table{std::vector<double>(20, 0.25)}); });
  return failures;
}

}  // namespace

TEST_CASE("an optimizer survives each allocation that fails", "[out_of_memory]") {
  if (!counts_malloc()) return;
  const VectorXd small = VectorXd::LinSpaced(5, -1, 2), large = VectorXd::LinSpaced(700, -1, 2);
  for (const OptimizerRow& row : optimizer_rows()) {
    CAPTURE(row.name);
    const std::int64_t failures = try_everything(row.make<double>(), small, large);
    CHECK(failures >= (row.slots > 0 ? 8 : 1));
  }
}

TEST_CASE("so do chains with scratch and with matrices, and schedules on the heap",
          "[out_of_memory]") {
  if (!counts_malloc()) return;
  using namespace descent;
  const VectorXd small = VectorXd::LinSpaced(5, -1, 2), large = VectorXd::LinSpaced(700, -1, 2);
  CHECK(try_everything(chain(add_decayed_weights(0.1), clip_by_global_norm(1.0),
                             trace({.momentum = 0.5}), scale_by_learning_rate(Table{{0.1, 0.2}})),
                       small, large) >= 12);
  CHECK(try_everything(
            chain<MatrixXd>(trace({.momentum = 0.5}), ColumnMeans{}, scale_by_learning_rate(0.1)),
            MatrixXd(small.replicate(1, 3)), MatrixXd(large.replicate(1, 3))) >= 12);
}
