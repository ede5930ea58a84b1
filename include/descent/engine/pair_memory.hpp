// Where limited-memory quasi-Newton methods keep their last m pairs s = xₖ₊₁ − xₖ, y = gₖ₊₁ − gₖ, and the products of these.
//
// A ring of slots. The pairs lie in blocks, so that a pass over all of them reads the memory from its beginning to its end.
#ifndef DESCENT_ENGINE_PAIR_MEMORY_HPP
#define DESCENT_ENGINE_PAIR_MEMORY_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

/// Room for `Most` pairs where the size is fixed, which is then inside the object; otherwise for as many as `resize` says. What
/// reckons with them sees it all.
template <class Real, int Size, int Most>
class PairMemory {
 protected:
  using Index = Eigen::Index;
  static constexpr bool dynamic = Size == Eigen::Dynamic;
  static constexpr Index width = lane_width<Real, Size>;
  using L = Lane<Real, int(width)>;

  static constexpr Index padded(Index size) { return (size + width - 1) / width * width; }
  // Coefficients of a block: two of them fit the first cache.
  static constexpr Index largest_block =
      dynamic ? Index(8192 / sizeof(Real)) : (std::min)(padded(Size), Index(8192 / sizeof(Real)));
  static constexpr Index blocks_of(Index size) {
    return (size + largest_block - 1) / largest_block;
  }
  static constexpr Index inline_slots = dynamic ? 1 : Most + 1;
  struct Numbers {
    using L = Lane<double, lane_width<double>>;
    static constexpr Index padded(Index size) {
      return (size + L::width - 1) / L::width * L::width;
    }
  };
  static constexpr Index columns(Index slots) { return 3 * slots + 5; }

  template <class T, std::size_t Count>
  using Array =
      std::conditional_t<dynamic, Eigen::Matrix<T, Eigen::Dynamic, 1>, std::array<T, Count>>;

  Array<Real, dynamic ? 1 : std::size_t(2 * blocks_of(Size) * largest_block * inline_slots)>
      data_{};
  // Columns of a number for each slot, so that recursions run on lanes: sᵢᵀyⱼ for all i, with 0 where pair j is older; its
  // transpose; yᵢᵀyⱼ; then sᵢᵀg, yᵢᵀg, the parts of sᵢ and yᵢ in the direction, and 1/sᵢᵀyᵢ.
  Array<double, std::size_t(columns(inline_slots) * Numbers::padded(inline_slots))> numbers_{};
  Index size_ = -1, block_ = 0;
  Index stride_ = 0;                        // of the columns of numbers
  int slots_ = 0, count_ = 0, newest_ = 0;  // one slot more than pairs
  double gamma_ = 1;

  Real* pair(Index block, int slot) { return data_.data() + (block * slots_ + slot) * 2 * block_; }
  double* column(int k) { return numbers_.data() + k * stride_; }
  double* sy(int j) { return column(j); }
  double* sy_transposed(int i) { return column(slots_ + i); }
  double* yy(int j) { return column(2 * slots_ + j); }
  double* sg() { return column(3 * slots_); }
  double* yg() { return column(3 * slots_ + 1); }
  double* s_part() { return column(3 * slots_ + 2); }
  double* y_part() { return column(3 * slots_ + 3); }
  double* inverse() { return column(3 * slots_ + 4); }

  // a += factor b, over the slots.
  [[gnu::always_inline]] void add_column(double* a, double factor, const double* b) const {
    using N = typename Numbers::L;
    const N f(factor);
    for (Index i = 0; i < stride_; i += N::width) {
      multiply_add(f, N::load(b + i), N::load(a + i)).store(a + i);
    }
  }

  // The slot behind the newest is spare, so one before the oldest.
  int older(int slot) const { return slot == 0 ? slots_ - 1 : slot - 1; }
  int newer(int slot) const { return slot + 1 == slots_ ? 0 : slot + 1; }
  int oldest() const {
    const int i = newest_ - count_ + 1;
    return i < 0 ? i + slots_ : i;
  }
  int spare() const { return newer(newest_); }

  // Up to where the two loops themselves are faster.
  static constexpr Index few = 256;
  bool is_small() const { return size_ <= few; }
  // sᵀy of a pair's y and the s of the one before, which is all that the two loops want of the products.
  double* with_older() { return sg(); }

 public:
  /// Makes room for `most` pairs of `size` coefficients; forgets those of another size.
  void resize(Index size, int most) {
    if (size == size_ && most + 1 == slots_) return;
    size_ = size;
    slots_ = most + 1;
    stride_ = Numbers::padded(slots_);
    block_ = (std::min)(padded(size), largest_block);
    if constexpr (dynamic) {
      data_.resize((size + block_ - 1) / (std::max)(block_, Index(1)) * block_ * 2 * slots_);
      numbers_.resize(columns(slots_) * stride_);
    }
    clear();
  }
  /// Forgets all.
  void clear() {
    count_ = 0;
    if (!is_small()) std::fill_n(numbers_.data(), columns(slots_) * stride_, 0.0);
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_PAIR_MEMORY_HPP
