// product: schedules that multiply each other (PyTorch's ChainedScheduler).
#ifndef DESCENT_SCHEDULE_PRODUCT_HPP
#define DESCENT_SCHEDULE_PRODUCT_HPP

#include <cstdint>
#include <tuple>
#include <utility>

#include "descent/core/anneal.hpp"

namespace descent::inline v0 {

/// What `product` returns: the parts themselves, each a number or a schedule.
template <class... Parts>
struct Product {
  std::tuple<Parts...> parts;  ///< the factors

  double operator()(std::int64_t k) const {
    return std::apply([k](const Parts&... part) { return (1.0 * ... * value_at(part, k)); }, parts);
  }
};

/// η(k) = a(k)·b(k)···: `product(cosine_decay({.initial = 0.1}), joined(0.1, 10, 1.0))` is a cosine with ten cautious
/// updates in front. Parts as in `joined`; all of them count from 0. Throws `std::invalid_argument` for a number outside of
/// [0, ∞).
template <class... Parts>
Product<Parts...> product(Parts... parts) {
  static_assert(sizeof...(Parts) > 0, "descent::product needs at least one schedule");
  (check_part("product", parts), ...);
  return {std::tuple<Parts...>(std::move(parts)...)};
}

}  // namespace descent::inline v0

#endif  // DESCENT_SCHEDULE_PRODUCT_HPP
