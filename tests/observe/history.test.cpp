#include <descent/observe/history.hpp>

#include <descent/minimize.hpp>
#include <descent/optimizer/gradient_descent.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace descent;
using namespace descent_test;

namespace {
std::vector<std::vector<std::string>> cells(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    auto& row = rows.emplace_back();
    std::istringstream parts(line);
    for (std::string part; std::getline(parts, part, ',');) row.push_back(part);
  }
  return rows;
}
double number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

History run() {
  History log;
  (void)minimize(Bowl{}, Eigen::VectorXd::Zero(2), GradientDescent({.learning_rate = 0.1}),
                 {.max_iterations = 6}, history(log));
  return log;
}
}  // namespace

TEST_CASE("a history holds what the run saw") {
  const History log = run();
  REQUIRE(log.rows.size() == 6);
  Eigen::VectorXd x = Eigen::VectorXd::Zero(2), g(2);
  for (const Progress& row : log.rows) {
    (void)Bowl{}.loss_and_gradient(x, g);
    x -= 0.1 * g;
    CHECK(row.loss == Approx(Bowl{}.loss_and_gradient(x, g)).epsilon(1e-14));
    CHECK(row.gradient_norm == Approx(g.cwiseAbs().maxCoeff()).epsilon(1e-14));
    CHECK(row.seconds >= 0);
  }
}

TEST_CASE("runs append, clear() empties") {
  History log = run();
  (void)minimize(Bowl{}, Eigen::VectorXd::Zero(2), GradientDescent(), {.max_iterations = 3},
                 history(log));
  CHECK(log.rows.size() == 9);
  log.clear();
  CHECK(log.rows.empty());
  CHECK(log.csv() == "iteration,epoch,loss,gradient_norm,learning_rate,seconds\n");
}

TEST_CASE("the CSV reads back exactly") {
  History log = run();
  log.rows.push_back({.iterations = 123456789012,
                      .epochs = 7,
                      .loss = std::numeric_limits<double>::quiet_NaN(),
                      .gradient_norm = 5e-324,
                      .learning_rate = 0.1 + 0.2,
                      .seconds = 1e308});
  const auto rows = cells(log.csv());
  REQUIRE(rows.size() == log.rows.size() + 1);
  CHECK(rows[0] == std::vector<std::string>{"iteration", "epoch", "loss", "gradient_norm",
                                            "learning_rate", "seconds"});
  for (std::size_t i = 0; i < log.rows.size(); ++i) {
    const Progress& row = log.rows[i];
    const auto& text = rows[i + 1];
    REQUIRE(text.size() == 6);
    CHECK(text[0] == std::to_string(row.iterations));
    CHECK(text[1] == std::to_string(row.epochs));
    CHECK((number(text[2]) == row.loss || (std::isnan(row.loss) && text[2] == "nan")));
    CHECK(number(text[3]) == row.gradient_norm);
    CHECK(number(text[4]) == row.learning_rate);
    CHECK(number(text[5]) == row.seconds);
  }
}

TEST_CASE("a file holds the CSV, and an older one is replaced") {
  const auto path = std::filesystem::temp_directory_path() /
                    ("descent-history-" + std::to_string(std::rand()) + ".csv");
  const History log = run();
  std::ofstream(path) << std::string(10'000, 'x');
  log.write_csv(path.string());
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  CHECK(text.str() == log.csv());
  std::filesystem::remove(path);
}

TEST_CASE("a file that cannot be written is an error with its path and the reason") {
  const History log = run();
  CHECK_THROWS_AS(log.write_csv("/nonexistent/log.csv"), std::runtime_error);
  CHECK_THROWS_WITH(log.write_csv("/nonexistent/log.csv"),
                    "History: cannot write /nonexistent/log.csv: No such file or directory");
  if (std::filesystem::exists("/dev/full")) {
    CHECK_THROWS_WITH(log.write_csv("/dev/full"),
                      "History: cannot write /dev/full: No space left on device");
    History large = log;
    for (int i = 0; i < 10'000; ++i) large.rows.push_back(log.rows[0]);
    CHECK_THROWS_WITH(large.write_csv("/dev/full"),
                      "History: cannot write /dev/full: No space left on device");
  }
}
