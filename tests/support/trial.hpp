// A row of the table of optimizers, with its types: a class template, options, and what is to be expected.
#ifndef DESCENT_TESTS_SUPPORT_TRIAL_HPP
#define DESCENT_TESTS_SUPPORT_TRIAL_HPP

#include <cstddef>
#include <cstdint>
#include <string>

namespace descent_test {

/// An optimizer's class template, by its name, with options to try it with.
template <template <class> class O, class Options>
struct Trial {
  std::string name;       ///< "Adam, amsgrad"
  std::string optimizer;  ///< "Adam"
  std::size_t slots;      ///< numbers of state for each parameter
  Options options;

  template <class Vector>
  O<Vector> make() const {
    return O<Vector>(options);
  }
  /// Whether x moves although the gradient is zero.
  bool decays() const {
    bool decay = false;
    if constexpr (requires { options.weight_decay; }) decay = decay || options.weight_decay != 0;
    if constexpr (requires { options.lambda; }) decay = decay || options.lambda != 0;
    return decay;
  }
};

template <template <class> class O, class Options>
Trial<O, Options> trial(std::string optimizer, const std::string& what, std::size_t slots,
                        const Options& options) {
  return {optimizer + (what.empty() ? "" : ", " + what), optimizer, slots, options};
}

/// A schedule without pow or cos, whose last bits depend on the machine's library.
inline double falling_rate(std::int64_t k) {
  return 0.05 / (1 + 0.125 * static_cast<double>(k));
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_TRIAL_HPP
