// The slots of an optimizer: `count` columns of `size` coefficients each.
//
// Each column is padded with zeros to whole lanes, so a pass loads and stores it without a tail; the padding belongs
// to no coefficient: `==` ignores it. Vectors of fixed size live inside the object and never touch the heap.
#ifndef DESCENT_ENGINE_COLUMNS_HPP
#define DESCENT_ENGINE_COLUMNS_HPP

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "descent/engine/lane.hpp"

namespace descent::inline v0 {

template <class Real, int Size, std::size_t Most>
class Columns {
  static constexpr bool dynamic = Size == Eigen::Dynamic;
  static constexpr Eigen::Index width = lane_width<Real, Size>;

  static constexpr Eigen::Index padded(Eigen::Index size) {
    return (size + width - 1) / width * width;
  }

  using Storage = std::conditional_t<
      dynamic, Eigen::Matrix<Real, Eigen::Dynamic, 1>,
      std::array<Real, (dynamic || Most == 0) ? 1 : std::size_t(padded(Size)) * Most>>;

  Storage data_{};  // a vector, as most users have that type compiled already
  Eigen::Index size_ = dynamic ? 0 : Size;
  Eigen::Index stride_ = dynamic ? 0 : padded(Size);
  Eigen::Index offset_ = 0;
  std::size_t count_ = 0;

 public:
  Columns() = default;
  Columns(const Columns&) = default;
  Columns(Columns&&) noexcept = default;
  /// Changes nothing when there is no memory for a copy.
  Columns& operator=(Columns other) noexcept {
    data_.swap(other.data_);
    size_ = other.size_;
    stride_ = other.stride_;
    offset_ = other.offset_;
    count_ = other.count_;
    return *this;
  }
  ~Columns() = default;

  /// Room for `count` columns of `size` coefficients, all zero. Memory of that size is kept. Changes nothing when there
  /// is none.
  void resize(Eigen::Index size, std::size_t count) {
    if constexpr (dynamic) {
      Eigen::Index stride = padded(size), offset = 0;
      // Streams whose addresses are equal modulo a page slow each other down. Large arrays start at a page, so columns
      // are set apart from them, and from one another, by 17 cache lines.
      constexpr Eigen::Index page = 4096 / Eigen::Index(sizeof(Real)),
                             apart = 1088 / Eigen::Index(sizeof(Real));
      if (2 * stride >= page) {
        stride = (stride - apart + page - 1) / page * page + apart;
        offset = apart;
      }
      const Eigen::Index total = count == 0 ? 0 : offset + stride * Eigen::Index(count);
      if (data_.size() != total) {
        // Eigen's own resize keeps a pointer to what it freed when memory runs out.
        Storage fresh(total);
        data_.swap(fresh);
      }
      size_ = size;
      stride_ = stride;
      offset_ = offset;
    }
    count_ = count;
    std::fill_n(data_.data(), data_.size(), Real(0));
  }

  Eigen::Index size() const { return size_; }
  Eigen::Index stride() const { return stride_; }
  std::size_t count() const { return count_; }
  Real* column(std::size_t k) { return data_.data() + offset_ + stride_ * Eigen::Index(k); }
  const Real* column(std::size_t k) const {
    return data_.data() + offset_ + stride_ * Eigen::Index(k);
  }

  friend bool operator==(const Columns& a, const Columns& b) {
    if (a.size_ != b.size_ || a.count_ != b.count_) return false;
    for (std::size_t k = 0; k < a.count_; ++k) {
      if (!std::equal(a.column(k), a.column(k) + a.size_, b.column(k))) return false;
    }
    return true;
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_ENGINE_COLUMNS_HPP
