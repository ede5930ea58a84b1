// joined: one schedule after another (PyTorch's SequentialLR, optax's join_schedules).
#ifndef DESCENT_SCHEDULE_JOINED_HPP
#define DESCENT_SCHEDULE_JOINED_HPP

#include <cstdint>
#include <utility>

#include "descent/core/anneal.hpp"
#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// What `joined` returns: the parts themselves, each a number or a schedule.
template <class First, class Then>
struct Joined {
  First first;            ///< before the boundary
  std::int64_t boundary;  ///< first update of `then`
  Then then;              ///< from the boundary on, which is its 0

  double operator()(std::int64_t k) const {
    return k < boundary ? value_at(first, k) : value_at(then, k - boundary);
  }
};

/// The first boundary that may follow a part.
template <class Part>
std::int64_t least_boundary(const Part&) {
  return 1;
}
template <class First, class Then>
std::int64_t least_boundary(const Joined<First, Then>& part) {
  return part.boundary + 1;
}

/// `joined(a, 100, b, 300, c)`: a for k < 100, then b, then c from k = 300 on. Each counts from its own boundary. Parts
/// are schedules, callables `double(std::int64_t)` or numbers, and are held by value: `joined(0.1, 60, 0.01)` is a
/// piecewise constant. A `Schedule` holds 128 bytes; a longer list that outlives its users is passed on as
/// `std::cref(list)`. Throws `std::invalid_argument` unless 1 <= first boundary < second < ..., and for a number outside
/// of [0, ∞).
template <class First, class Then>
Joined<First, Then> joined(First first, std::int64_t boundary, Then then) {
  check_part("joined", first);
  check_part("joined", then);
  checked_count("joined", "boundary", boundary, least_boundary(first));
  return {std::move(first), boundary, std::move(then)};
}

/// More than two.
template <class First, class Then, class... More>
auto joined(First first, std::int64_t boundary, Then then, std::int64_t next, More... more) {
  return joined(joined(std::move(first), boundary, std::move(then)), next, std::move(more)...);
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_JOINED_HPP
