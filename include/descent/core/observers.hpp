// The observers of one run: asked in their order, alike by every driver.
#ifndef DESCENT_CORE_OBSERVERS_HPP
#define DESCENT_CORE_OBSERVERS_HPP

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "descent/core/progress.hpp"

namespace descent::inline v0 {

template <class... Os>
class Observers {
  std::tuple<Os&...> observers_;

  template <class O, class... Args>
  static bool call(O& observer, const Args&... args) {
    using Answer = std::invoke_result_t<O&, const Args&...>;
    static_assert(std::is_void_v<Answer> || std::convertible_to<Answer, bool>,
                  "minimize: an observer returns void, or bool (false stops the run)");
    if constexpr (std::is_void_v<Answer>) {
      observer(args...);
      return true;
    } else {
      return static_cast<bool>(observer(args...));
    }
  }

  template <class V, class O>
  static bool notify_one(O& observer, const Progress& progress, const V& x) {
    if constexpr (std::is_invocable_v<O&, const Progress&>) {
      return call(observer, progress);
    } else {
      static_assert(
          std::is_invocable_v<O&, const Progress&, const V&>,
          "minimize: an observer is a callable that takes (const descent::Progress&), or (const "
          "descent::Progress&, const V& x), and returns void or bool");
      return call(observer, progress, x);
    }
  }

  template <class O>
  static constexpr bool scales = requires {
    requires O::scales_learning_rate;
  };

 public:
  static constexpr bool any = sizeof...(Os) > 0;

  explicit Observers(Os&... observers) : observers_(observers...) {}

  template <class V>
  void begin(const V& x0) {
    each([&](auto& o) {
      if constexpr (requires { o.begin(x0); }) o.begin(x0);
    });
  }

  /// Whether one of them looks at the loss; to be asked after `begin`.
  bool uses_loss() {
    bool used = false;
    each([&](const auto& o) {
      using O = std::remove_cvref_t<decltype(o)>;
      if constexpr (requires { bool(o.uses_loss()); }) {
        used = used || o.uses_loss();
      } else if constexpr (requires { bool(O::uses_loss); }) {
        used = used || O::uses_loss;
      } else {
        used = true;
      }
    });
    return used;
  }

  /// Whether one of them scales the learning rate for certain.
  static constexpr bool scale_learning_rate = (scales<Os> || ...);

  /// false when one of them asks to stop; all of them are told. `rescale(progress)` is called behind one that scales the
  /// learning rate.
  template <class V, class Rescale>
  bool notify(Progress& progress, const V& x, const Rescale& rescale) {
    bool go_on = true;
    each([&](auto& o) {
      go_on = notify_one(o, std::as_const(progress), x) && go_on;
      if (progress.rate_factor != 1) rescale(progress);
    });
    return go_on;
  }

  /// Whether one of them replaced x.
  template <class V>
  bool end(V& x) {
    bool replaced = false;
    each([&](auto& o) {
      if constexpr (requires { replaced = o.end(x); }) replaced = o.end(x) || replaced;
    });
    return replaced;
  }

 private:
  template <class F>
  void each(const F& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::get<I>(observers_)), ...);
    }
    (std::index_sequence_for<Os...>{});
  }
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_OBSERVERS_HPP
