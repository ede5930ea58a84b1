// The table of parameters: every number that an optimizer, a transform or a schedule takes, with the range that it
// promises. The ranges stand here a second time and by hand, so that the library's own are held against something.
#ifndef DESCENT_TESTS_SUPPORT_PARAMETERS_HPP
#define DESCENT_TESTS_SUPPORT_PARAMETERS_HPP

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
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

// The kinds of range.
inline ParameterRow non_negative(std::string who, std::string name,
                                 std::function<void(double)> make) {
  return {std::move(who), std::move(name), "[0, inf)", 0, HUGE_VAL, false, true, std::move(make)};
}
inline ParameterRow positive(std::string who, std::string name, std::function<void(double)> make) {
  return {std::move(who), std::move(name), "(0, inf)", 0, HUGE_VAL, true, true, std::move(make)};
}
inline ParameterRow decay_rate(std::string who, std::string name,
                               std::function<void(double)> make) {
  return {std::move(who), std::move(name), "[0, 1)", 0, 1, false, true, std::move(make)};
}
inline ParameterRow unit(std::string who, std::string name, std::function<void(double)> make) {
  return {std::move(who), std::move(name), "(0, 1]", 0, 1, true, false, std::move(make)};
}
inline ParameterRow fraction(std::string who, std::string name, std::function<void(double)> make) {
  return {std::move(who), std::move(name), "[0, 1]", 0, 1, false, false, std::move(make)};
}

/// Those of the rules that look at one coefficient alone (parameters/rules.cpp), which parameter_rows() contains.
std::vector<ParameterRow> rule_parameters();
/// Those of the rules that need sums or averages (parameters/sums.cpp), which it contains as well.
std::vector<ParameterRow> sum_parameters();
/// Those of the transforms (parameters/transforms.cpp), likewise.
std::vector<ParameterRow> transform_parameters();
std::vector<CountRow> transform_counts();
/// Defined in parameters.cpp.
const std::vector<ParameterRow>& parameter_rows();
const std::vector<CountRow>& count_rows();

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_PARAMETERS_HPP
