/// \file
/// Draws curves with the program gnuplot, where it is installed, into an SVG or (by the
/// ending of the path) PNG file.
///
///     example::plot("convergence.svg", {{"Adam", steps, losses}, {"SGD", steps2, losses2}},
///                   {.title = "Diabetes", .x_label = "epoch", .y_label = "loss - optimum"});
///
/// Values that a logarithmic axis cannot show (zero, negative) and what is not finite leave a gap
/// in the curve.
#ifndef DESCENT_EXAMPLES_SUPPORT_PLOT_HPP
#define DESCENT_EXAMPLES_SUPPORT_PLOT_HPP

#include <charconv>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

namespace example {

struct Curve {
  std::string name;
  std::vector<double> x, y;  ///< equally many
};

struct PlotOptions {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = true;
  int width = 900, height = 560;  ///< pixels
};

namespace gnuplot {

/// Text in single quotes, where gnuplot interprets nothing; line ends would end the command.
inline std::string quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text)
    quoted += c == '\'' ? "''" : static_cast<unsigned char>(c) < ' ' ? " " : std::string(1, c);
  return quoted + "'";
}

inline bool installed() {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path ? path : "";
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string file = std::string(rest.substr(0, end)) + "/gnuplot";
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored) && ::access(file.c_str(), X_OK) == 0)
      return true;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return false;
}

inline std::string number(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

inline std::string script(const std::string& path, const std::vector<Curve>& curves,
                          const PlotOptions& options) {
  const bool png = path.ends_with(".png");
  const std::string size = std::to_string(options.width) + "," + std::to_string(options.height);
  std::string text = "set terminal ";
  text += png ? "pngcairo" : "svg dynamic background rgb 'white'";
  text += " noenhanced size " + size + " font 'sans,13'\nset output " + quote(path) +
          "\nset encoding utf8\n";
  text += "set title " + quote(options.title) + "\nset xlabel " + quote(options.x_label) +
          "\nset ylabel " + quote(options.y_label) + "\n";
  if (options.log_x) text += "set logscale x\nset format x '%g'\n";
  if (options.log_y) text += "set logscale y\nset format y '%g'\n";
  text += "set grid lt 1 lw 1 lc rgb '#dddddd'\nset border 3\nset tics nomirror\n";
  text += "set key below Left reverse\n";  // where it hides no curve

  for (std::size_t k = 0; k < curves.size(); ++k) {
    text += "$curve" + std::to_string(k) + " << END\n";
    for (std::size_t i = 0; i < curves[k].x.size(); ++i) {
      const double x = curves[k].x[i], y = curves[k].y[i];
      const bool shown = std::isfinite(x) && std::isfinite(y) && (!options.log_x || x > 0) &&
                         (!options.log_y || y > 0);
      text += shown ? number(x) + " " + number(y) + "\n" : "\n";  // an empty line is a gap
    }
    text += "END\n";
  }
  // The palette of Okabe and Ito, which color-blind readers can tell apart.
  constexpr const char* colors[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#000000"};
  for (std::size_t k = 0; k < curves.size(); ++k) {
    text += (k == 0 ? "plot " : ", ") + ("$curve" + std::to_string(k)) + " using 1:2 with " +
            (curves[k].x.size() < 3 ? "linespoints pt 7" : "lines") + " lw 2 dashtype " +
            std::to_string(k / std::size(colors) + 1) + " lc rgb '" +
            colors[k % std::size(colors)] + "' title " + quote(curves[k].name);
  }
  return text + "\n";
}

}  // namespace gnuplot

/// Writes the plot; false, after a sentence on standard output, when gnuplot is not there or fails.
inline bool plot(const std::string& path, const std::vector<Curve>& curves,
                 const PlotOptions& options = {}) {
  if (curves.empty()) throw std::invalid_argument("plot: no curves");
  for (const Curve& curve : curves)
    if (curve.x.size() != curve.y.size())
      throw std::invalid_argument("plot: " + curve.name + " has x and y of different sizes");
  if (!gnuplot::installed()) {
    std::cout << "No plot: the program gnuplot is not installed (Debian and Ubuntu: apt-get "
                 "install gnuplot-nox).\n";
    return false;
  }
  const std::string script = gnuplot::script(path, curves, options);
  // If gnuplot ends early, the write shall fail instead of ending us.
  const auto previous = std::signal(SIGPIPE, SIG_IGN);
  bool ok = false;
  std::error_code ignored;
  std::filesystem::remove(path, ignored);  // an old plot is no success
  if (std::FILE* const pipe = ::popen("gnuplot > /dev/null", "w")) {
    const bool written = std::fwrite(script.data(), 1, script.size(), pipe) == script.size();
    ok = ::pclose(pipe) == 0 && written;
  }
  std::signal(SIGPIPE, previous);
  ok = ok && std::filesystem::file_size(path, ignored) > 0 && !ignored;
  if (!ok) std::cout << "No plot: gnuplot failed to write " << path << ".\n";
  return ok;
}

}  // namespace example

#endif  // DESCENT_EXAMPLES_SUPPORT_PLOT_HPP
