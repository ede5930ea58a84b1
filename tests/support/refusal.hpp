// What a call is refused with.
#ifndef DESCENT_TESTS_SUPPORT_REFUSAL_HPP
#define DESCENT_TESTS_SUPPORT_REFUSAL_HPP

#include <stdexcept>
#include <string>

namespace descent_test {

/// The message of the std::invalid_argument that a call throws, "accepted" if none; another exception goes through.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_REFUSAL_HPP
