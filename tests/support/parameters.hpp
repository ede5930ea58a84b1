// The table of parameters: every number that an optimizer, a transform or a schedule takes, with the range that it
// promises. The ranges stand here a second time and by hand, so that the library's own are held against something.
#ifndef DESCENT_TESTS_SUPPORT_PARAMETERS_HPP
#define DESCENT_TESTS_SUPPORT_PARAMETERS_HPP

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace descent_test {

struct ParameterRow {
  std::string who, name;
  std::string range;  ///< as messages spell it: "[0, 1)"
  double lower, upper;
  bool lower_open, upper_open;
  std::function<void(double)>
      make;  ///< makes the object, with all else at its default, and uses it once
};

struct CountRow {
  std::string who, name;
  std::int64_t least;
  std::function<void(std::int64_t)> make;
};

/// Defined in parameters.cpp.
const std::vector<ParameterRow>& parameter_rows();
const std::vector<CountRow>& count_rows();

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_PARAMETERS_HPP
