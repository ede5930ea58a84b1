// history: writes down every iteration or epoch, and saves it as CSV.
#ifndef DESCENT_OBSERVE_HISTORY_HPP
#define DESCENT_OBSERVE_HISTORY_HPP

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/progress.hpp"

namespace descent::inline v0 {

/// One `Progress` an iteration, or an epoch of a run on mini-batches, oldest first; none for x0. Runs append; `clear()`
/// empties it. A loop of one's own appends by `rows.push_back({.iterations = ..., .loss = ...})`; what it leaves out of
/// the loss and the norm is written as nan.
struct History {
  std::vector<Progress> rows;  ///< oldest first

  /// Forgets all rows.
  void clear() { rows.clear(); }

  /// The rows as CSV text: iteration,epoch,loss,gradient_norm,learning_rate,seconds; numbers read back exactly.
  [[nodiscard]] std::string csv() const {
    std::string text = "iteration,epoch,loss,gradient_norm,learning_rate,seconds\n";
    for (const Progress& row : rows) {
      text.append(to_text(row.iterations)).append(",").append(to_text(row.epochs));
      for (const double value : {row.loss, row.gradient_norm, row.learning_rate, row.seconds}) {
        text.append(",").append(to_text(value));
      }
      text.append("\n");
    }
    return text;
  }

  /// Writes `csv()` to a file. Throws `std::runtime_error` with the path and the system's reason.
  void write_csv(const std::string& path) const {
    const std::string text = csv();
    std::FILE* file = std::fopen(path.c_str(), "wb");
    bool written = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    int reason = errno;
    if (file && std::fclose(file) != 0 && written) {
      written = false;
      reason = errno;
    }
    if (!written)
      throw std::runtime_error("History: cannot write " + path + ": " + std::strerror(reason));
  }
};

/// What `history` returns.
class HistoryObserver {
  History* log_;

 public:
  explicit HistoryObserver(History& log) : log_(&log) {}
  void operator()(const Progress& progress) const { log_->rows.push_back(progress); }
};

/// An observer that appends to `log`, which must outlive the run.
inline HistoryObserver history(History& log) {
  return HistoryObserver(log);
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBSERVE_HISTORY_HPP
