// clip_by_block_norm: clip_by_global_norm for each block of the parameters by itself.
//
//     g_b ← g_b · min(1, c / (‖g_b‖ + 10⁻⁶)),   b the blocks of coefficients that lie one after the other
//
// A block is what a layer is elsewhere: optax's clip_by_block_rms and PyTorch's clip_grad_norm_ called for one parameter
// after the other; the 10⁻⁶ is PyTorch's.
#ifndef DESCENT_TRANSFORM_CLIP_BY_BLOCK_NORM_HPP
#define DESCENT_TRANSFORM_CLIP_BY_BLOCK_NORM_HPP

#include <Eigen/Core>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/stage.hpp"
#include "descent/core/step_info.hpp"
#include "descent/engine/lane.hpp"
#include "descent/engine/transform.hpp"

namespace descent::inline v0 {

/// No state; a whole transform, one more pass. The norms neither overflow nor underflow. NaN stays within its block.
class ClipByBlockNorm {
 public:
  static constexpr Stage accepts = Stage::gradient;
  using State = NoState;  ///< none

  ClipByBlockNorm(double max_norm, std::vector<Eigen::Index> sizes)
      : max_norm_(max_norm), sizes_(std::move(sizes)) {}

  /// No coefficient behind it is larger.
  double bound() const { return max_norm_; }

  void check_size(Eigen::Index size) const {
    Eigen::Index sum = 0;
    for (const Eigen::Index block : sizes_) sum += block;
    if (sum != size) {
      throw_invalid("clip_by_block_norm", "sizes", to_text(sum),
                    join({"of sum ", to_text(size), ", the number of coefficients"}));
    }
  }

  State init(Eigen::Index, Eigen::Index) const { return {}; }

  template <class Update, class Parameter>
  void apply(Update&& update, const Parameter&, State&, const StepInfo&) const {
    using Real = typename std::remove_cvref_t<Update>::Scalar;
    Real* begin = update.data();
    for (const Eigen::Index size : sizes_) {
      Eigen::Map<Eigen::Matrix<Real, Eigen::Dynamic, 1>> block(begin, size);
      const double ratio = max_norm_ / (static_cast<double>(block.stableNorm()) + 1e-6);
      if (!(ratio >= 1)) block *= static_cast<Real>(ratio);
      begin += size;
    }
  }

 private:
  double max_norm_;
  std::vector<Eigen::Index> sizes_;
};

/// c = max_norm in (0, ∞); `sizes` are those of the blocks, each at least 1, in the order in which they lie in memory.
/// Throws `std::invalid_argument` otherwise, and at the first step where their sum is not the number of coefficients.
inline ClipByBlockNorm clip_by_block_norm(double max_norm, std::vector<Eigen::Index> sizes) {
  checked("clip_by_block_norm", "max_norm", max_norm, range::positive);
  for (const Eigen::Index size : sizes) checked_count("clip_by_block_norm", "sizes", size, 1);
  return ClipByBlockNorm(max_norm, std::move(sizes));
}

}  // namespace descent::inline v0

#endif  // DESCENT_TRANSFORM_CLIP_BY_BLOCK_NORM_HPP
