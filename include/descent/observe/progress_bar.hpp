// progress_bar: one line on the terminal that follows the run.
#ifndef DESCENT_OBSERVE_PROGRESS_BAR_HPP
#define DESCENT_OBSERVE_PROGRESS_BAR_HPP

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#if __has_include(<sys/ioctl.h>) && __has_include(<unistd.h>)
#include <sys/ioctl.h>
#include <unistd.h>
#endif

#include "descent/core/errors.hpp"
#include "descent/core/progress.hpp"

namespace descent::inline v0 {

/// Where and how the bar is drawn.
struct ProgressBarOptions {
  std::FILE* stream = stderr;  ///< where to draw
  bool always = false;         ///< draw although the stream is not a terminal
  int width = 0;          ///< columns, at least 20; 0: the terminal's own, 80 where it has none
  double interval = 0.1;  ///< least seconds between two drawings, in [0, ∞)
};

/// Draws `[=====>    ] 42% epoch 21/50 loss 0.1234 |g| 1.2e-03 rate 0.01 3.2 s`, redrawn in place. Where no limit of
/// iterations or epochs is known, only the numbers. Silent when the stream is not a terminal, unless `always`.
class ProgressBar {
  ProgressBarOptions options_;
  bool on_ = false, drawn_ = false;
  double last_ = 0;
  std::size_t length_ = 0;
  Progress latest_{};

 public:
  explicit ProgressBar(const ProgressBarOptions& options) : options_(options) {
    if (options.width != 0) checked_count("progress_bar", "width", options.width, 20);
    checked("progress_bar", "interval", options.interval, range::non_negative);
  }

  /// A silent bar does not ask for the loss.
  bool uses_loss() const { return on_; }

  template <class V>
  void begin(const V&) {
    on_ = options_.always || is_terminal();
    drawn_ = false;
    length_ = 0;
    latest_ = {};
  }

  void operator()(const Progress& progress) {
    if (!on_) return;
    latest_ = progress;
    if (drawn_ && progress.seconds - last_ < options_.interval) return;
    draw();
  }

  template <class V>
  bool end(V&) {
    if (on_ && latest_.iterations > 0) {
      draw();
      std::fputc('\n', options_.stream);
      std::fflush(options_.stream);
    }
    return false;
  }

  /// The line for a progress, at most `width` columns.
  static std::string line(const Progress& p, std::size_t width) {
    char text[192];
    const bool by_epoch = p.max_epochs > 0;
    const double done = by_epoch ? static_cast<double>(p.epochs) / static_cast<double>(p.max_epochs)
                        : p.max_iterations > 0 ? static_cast<double>(p.iterations) /
                                                     static_cast<double>(p.max_iterations)
                                               : -1;
    const std::string count =
        by_epoch ? "epoch " + to_text(p.epochs) + "/" + to_text(p.max_epochs)
                 : "iteration " + to_text(p.iterations) +
                       (p.max_iterations > 0 ? "/" + to_text(p.max_iterations) : std::string());
    std::snprintf(text, sizeof text, "%s loss %.6g |g| %.2g rate %.3g %.1f s", count.c_str(),
                  p.loss, p.gradient_norm, p.learning_rate, p.seconds);
    std::string numbers = text;
    std::string result;
    constexpr std::size_t least_bar = 10, frame = 8;  // "[", "] ", "100% "
    if (done >= 0 && width >= numbers.size() + least_bar + frame) {
      const std::size_t room = (std::min)(width - numbers.size() - frame, std::size_t{40});
      const double fraction = (std::min)(done, 1.0);
      const auto full = static_cast<std::size_t>(fraction * static_cast<double>(room));
      result = "[" + std::string(full, '=') + std::string(room - full, ' ') + "] ";
      if (full < room) result[1 + full] = '>';
      char percent[8];
      std::snprintf(percent, sizeof percent, "%3d%% ",
                    static_cast<int>(std::floor(100 * fraction)));
      result += percent;
    }
    result += numbers;
    if (result.size() > width) result.resize(width);
    return result;
  }

 private:
  bool is_terminal() const {
#if __has_include(<unistd.h>)
    return isatty(fileno(options_.stream)) != 0;
#else
    return false;
#endif
  }

  std::size_t columns() const {
    if (options_.width > 0) return static_cast<std::size_t>(options_.width);
#if defined(TIOCGWINSZ)
    winsize size{};
    if (ioctl(fileno(options_.stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
      return size.ws_col;
#endif
    return 80;
  }

  void draw() {
    // One column stays free: writing into the last one makes some terminals wrap.
    std::string text = line(latest_, columns() - 1);
    const std::size_t length = text.size();
    if (length < length_) text.append(length_ - length, ' ');
    std::fprintf(options_.stream, "\r%s", text.c_str());
    std::fflush(options_.stream);
    length_ = length;
    last_ = latest_.seconds;
    drawn_ = true;
  }
};

/// An observer that draws a progress bar.
inline ProgressBar progress_bar(const ProgressBarOptions& options = {}) {
  return ProgressBar(options);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBSERVE_PROGRESS_BAR_HPP
