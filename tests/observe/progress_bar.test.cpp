#include <descent/observe/progress_bar.hpp>

#include <descent/minimize.hpp>
#include <descent/optimizer/gradient_descent.hpp>

#include "support/catch.hpp"
#include "support/problems.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#if __has_include(<pty.h>) && __has_include(<sys/ioctl.h>)
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>
#define DESCENT_TEST_HAS_PTY
#endif

using namespace descent;
using namespace descent_test;

namespace {

/// A file that is gone when it is closed.
class Scratch {
  std::FILE* file_ = std::tmpfile();

 public:
  Scratch() { REQUIRE(file_); }
  Scratch(const Scratch&) = delete;
  ~Scratch() { std::fclose(file_); }
  std::FILE* file() const { return file_; }
  std::string text() const {
    std::string text;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) text += static_cast<char>(c);
    return text;
  }
};

std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0, length = 0;
  for (const char c : text) {
    length = c == '\r' || c == '\n' ? 0 : length + 1;
    longest = std::max(longest, length);
  }
  return longest;
}

auto run(const ProgressBarOptions& options, std::int64_t n = 20) {
  return minimize(Bowl{}, Eigen::VectorXd::Zero(2), GradientDescent({.learning_rate = 1e-3}),
                  {.max_iterations = n}, progress_bar(options));
}

}  // namespace

TEST_CASE("a line is never wider than asked for, and shows what there is room for") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Progress cases[] = {
      {.iterations = 21,
       .epochs = 21,
       .loss = 0.1234,
       .gradient_norm = 1.2e-3,
       .learning_rate = 0.01,
       .seconds = 3.2,
       .max_epochs = 50},
      {.iterations = 5, .loss = -1e-300, .gradient_norm = infinity, .max_iterations = 10},
      {.iterations = 5},
      {.iterations = std::numeric_limits<std::int64_t>::max(),
       .loss = -1.23456e-300,
       .gradient_norm = 1.5e300,
       .learning_rate = 1.23e-300,
       .seconds = 1e9,
       .max_iterations = std::numeric_limits<std::int64_t>::max()},
      {.iterations = 20, .loss = 1, .seconds = 2, .max_iterations = 10},
      {.iterations = 20, .loss = 1, .seconds = 1e300, .max_iterations = 10}};
  for (const Progress& progress : cases) {
    for (std::size_t width = 20; width <= 120; ++width) {
      const std::string line = ProgressBar::line(progress, width);
      CAPTURE(width, line);
      CHECK(line.size() <= width);
      CHECK(line.find('\n') == std::string::npos);
      CHECK(line.find('\0') == std::string::npos);
    }
  }
  CHECK(ProgressBar::line(cases[0], 100) ==
        "[================>                       ]  42% epoch 21/50 loss 0.1234 |g| 0.0012 rate "
        "0.01 3.2 s");
  CHECK(ProgressBar::line(cases[0], 70) ==
        "[=====>      ]  42% epoch 21/50 loss 0.1234 |g| 0.0012 rate 0.01 3.2 s");
  CHECK(ProgressBar::line(cases[0], 60) ==
        "epoch 21/50 loss 0.1234 |g| 0.0012 rate 0.01 3.2 s");  // no room for a bar
  CHECK(ProgressBar::line(cases[0], 20) == "epoch 21/50 loss 0.1");
  CHECK(ProgressBar::line(cases[2], 80) == "iteration 5 loss nan |g| nan rate 0 0.0 s");
  const std::string over = ProgressBar::line(cases[4], 120);
  CHECK(over.substr(0, 5) == "[====");
  CHECK(over.find("100% iteration 20/10") != std::string::npos);
  CHECK(ProgressBar::line({.max_iterations = 4}, 90).find("  0% iteration 0/4") !=
        std::string::npos);
}

TEST_CASE("silent when the stream is no terminal") {
  const Scratch scratch;
  (void)run({.stream = scratch.file()});
  CHECK(scratch.text().empty());
}

TEST_CASE("a silent bar does not have the loss evaluated, a drawn one does") {
  struct Apart {  // loss and gradient are two calls
    double loss(const Eigen::VectorXd& x) const { return 0.5 * x.squaredNorm(); }
    void gradient(const Eigen::VectorXd& x, Eigen::VectorXd& g) const { g = x; }
  };
  const auto losses = [](bool always) {
    const Scratch scratch;
    return descent::minimize(Apart{}, Eigen::VectorXd::Ones(2), descent::GradientDescent(),
                             {.max_iterations = 5},
                             descent::progress_bar({.stream = scratch.file(), .always = always}))
        .loss_evaluations;
  };
  CHECK(losses(false) == 1);  // at the end, for the result
  CHECK(losses(true) == 6);
}

TEST_CASE("drawn all the same when asked for") {
  const Scratch scratch;
  const auto result = run({.stream = scratch.file(), .always = true, .interval = 0});
  const std::string text = scratch.text();
  CHECK(std::count(text.begin(), text.end(), '\r') == 20 + 1);  // and the last one at the end
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
  CHECK(text.front() == '\r');
  CHECK(text.find("100% iteration 20/20") != std::string::npos);
  CHECK(longest_line(text) == 79);  // 80 columns, of which the last stays free
  CHECK(result.iterations == 20);
  for (int width = 20; width <= 120; width += 7) {
    const Scratch narrow;
    (void)run({.stream = narrow.file(), .always = true, .width = width, .interval = 0});
    CHECK(longest_line(narrow.text()) < static_cast<std::size_t>(width));
  }
}

TEST_CASE("a shorter line wipes out what a longer one left") {
  const Scratch scratch;
  ProgressBar bar({.stream = scratch.file(), .always = true, .width = 100, .interval = 0});
  const Eigen::VectorXd x;
  bar.begin(x);
  bar({.iterations = 1, .loss = 1.23456e-100});
  bar({.iterations = 2, .loss = 1});
  const std::string text = scratch.text();
  const auto second = text.find('\r', 1);
  CHECK(text.size() - second == second);
  CHECK(text.back() == ' ');
}

TEST_CASE("drawn no more often than the interval, but always at the end") {
  const Scratch scratch;
  (void)run({.stream = scratch.file(), .always = true, .interval = 1000});
  const std::string text = scratch.text();
  CHECK(std::count(text.begin(), text.end(), '\r') == 2);
  CHECK(text.find("iteration 1/20") != std::string::npos);
  CHECK(text.find("iteration 20/20") != std::string::npos);
  const Scratch nothing;
  (void)run({.stream = nothing.file(), .always = true}, 0);
  CHECK(nothing.text().empty());
}

TEST_CASE("one bar serves several runs") {
  const Scratch scratch;
  auto bar = progress_bar({.stream = scratch.file(), .always = true, .interval = 1000});
  for (int i = 0; i < 3; ++i) {
    (void)minimize(Bowl{}, Eigen::VectorXd::Zero(2), GradientDescent({.learning_rate = 1e-3}),
                   {.max_iterations = 5}, bar);
  }
  const std::string text = scratch.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
  CHECK(std::count(text.begin(), text.end(), '\r') == 6);
}

TEST_CASE("width and interval are checked") {
  for (const int bad : {-1, 1, 19}) {
    CHECK_THROWS_WITH(progress_bar({.width = bad}),
                      "progress_bar: width must be at least 20, got " + std::to_string(bad));
  }
  CHECK_NOTHROW(progress_bar({.width = 20}));
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH(progress_bar({.interval = bad}),
                      "progress_bar: interval must be in [0, inf), got " + to_text(bad));
  }
}

#ifdef DESCENT_TEST_HAS_PTY
TEST_CASE("a terminal is drawn to, in its own width") {
  for (const int columns : {30, 60, 133}) {
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    size.ws_row = 24;
    int master = -1, slave = -1;
    if (openpty(&master, &slave, nullptr, nullptr, &size) != 0) {
      WARN("no pseudo terminal here");
      return;
    }
    std::FILE* stream = fdopen(slave, "w");
    REQUIRE(stream);
    (void)run({.stream = stream, .interval = 0}, 5);
    std::fclose(stream);
    std::string text;
    char buffer[4096];
    for (auto got = read(master, buffer, sizeof buffer); got > 0;
         got = read(master, buffer, sizeof buffer)) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    close(master);
    CHECK(text.find("iteration 5/5") != std::string::npos);
    CHECK((text.find('[') != std::string::npos) == (columns == 133));  // room for a bar
    CHECK(longest_line(text) < static_cast<std::size_t>(columns));
    CHECK(longest_line(text) >= (columns == 30 ? 29u : columns == 60 ? 40u : 81u));
  }
}
#endif
