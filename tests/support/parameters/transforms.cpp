// The parameters of the transforms.
#include "support/parameters.hpp"

#include <descent/transform/accumulate.hpp>
#include <descent/transform/add_noise.hpp>
#include <descent/transform/clip_adaptively.hpp>
#include <descent/transform/clip_by_block_norm.hpp>
#include <descent/transform/clip_by_value.hpp>
#include <descent/transform/ema.hpp>
#include <descent/transform/lookahead.hpp>
#include <descent/transform/project_on_ball.hpp>
#include <descent/transform/project_on_simplex.hpp>
#include <descent/transform/proximal.hpp>
#include <descent/transform/rollback_if_not_finite.hpp>
#include <descent/transform/swa.hpp>
#include <descent/transform/weight_ema.hpp>

namespace descent_test {

std::vector<ParameterRow> transform_parameters() {
  using namespace descent;
  using V = double;
  return {
      non_negative("add_noise", "eta", [](V v) { (void)add_noise({.eta = v}); }),
      non_negative("add_noise", "gamma", [](V v) { (void)add_noise({.gamma = v}); }),
      positive("clip_adaptively", "clipping", [](V v) { (void)clip_adaptively({.clipping = v}); }),
      positive("clip_adaptively", "epsilon", [](V v) { (void)clip_adaptively({.epsilon = v}); }),
      positive("clip_by_block_norm", "max_norm", [](V v) { (void)clip_by_block_norm(v, {3}); }),
      positive("clip_by_value", "limit", [](V v) { (void)clip_by_value(v); }),
      decay_rate("ema", "decay", [](V v) { (void)ema({.decay = v}); }),
      fraction("lookahead", "slow_step_size", [](V v) { (void)lookahead({.slow_step_size = v}); }),
      positive("project_on_ball", "radius", [](V v) { (void)project_on_ball(v); }),
      positive("project_on_l1_ball", "radius", [](V v) { (void)project_on_l1_ball(v); }),
      positive("project_on_simplex", "radius", [](V v) { (void)project_on_simplex(v); }),
      non_negative("proximal_elastic_net", "l1", [](V v) { (void)proximal_elastic_net(v, 1); }),
      non_negative("proximal_elastic_net", "l2", [](V v) { (void)proximal_elastic_net(1, v); }),
      non_negative("proximal_l1", "l1", [](V v) { (void)proximal_l1(v); }),
      non_negative("proximal_l2", "l2", [](V v) { (void)proximal_l2(v); }),
      unit("rollback_if_not_finite", "factor", [](V v) { (void)rollback_if_not_finite(v); }),
      decay_rate("weight_ema", "decay", [](V v) { (void)weight_ema({.decay = v}); }),
  };
}

std::vector<CountRow> transform_counts() {
  using namespace descent;
  using N = std::int64_t;
  return {
      {"accumulate", "gradients", 1, [](N n) { (void)accumulate(n); }},
      {"clip_by_block_norm", "sizes", 1,
       [](N n) {
         (void)clip_by_block_norm(1, {3, n});
       }},
      {"lookahead", "sync_period", 1, [](N n) { (void)lookahead({.sync_period = n}); }},
      {"swa", "every", 1, [](N n) { (void)swa({.every = n}); }},
      {"swa", "start", 0, [](N n) { (void)swa({.start = n}); }},
  };
}

}  // namespace descent_test
