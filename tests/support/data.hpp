// The data sets of examples/data, and what others computed of them.
#ifndef DESCENT_TESTS_SUPPORT_DATA_HPP
#define DESCENT_TESTS_SUPPORT_DATA_HPP

#include <Eigen/Core>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace descent_test {

inline std::ifstream open_data(const std::string& name) {
  std::ifstream file(std::string(DESCENT_TEST_DATA_DIR) + "/../../examples/data/" + name);
  if (!file) throw std::runtime_error("no file examples/data/" + name);
  std::string head;
  std::getline(file, head);
  return file;
}

/// The rows behind the head: read_csv("diabetes/diabetes.csv").
inline Eigen::MatrixXd read_csv(const std::string& name) {
  std::ifstream file = open_data(name);
  std::vector<double> numbers;
  Eigen::Index rows = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) numbers.push_back(std::stod(cell));
  }
  using Table = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<Table>(numbers.data(), rows, Eigen::Index(numbers.size()) / rows);
}

/// The values of each fit, in the order of the file: read_reference("diabetes/reference.csv").
inline std::map<std::string, std::vector<double>> read_reference(const std::string& name) {
  std::ifstream file = open_data(name);
  std::map<std::string, std::vector<double>> values;
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(','), second = line.find(',', first + 1);
    values[line.substr(0, first)].push_back(std::stod(line.substr(second + 1)));
  }
  return values;
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_DATA_HPP
