// Trajectories and schedules that outside implementations computed (tests/reference/README.md says
// which and how).
//
//     for (const std::string& name : descent_test::list("torch")) {  // "torch/adam__…"
//       const auto reference = descent_test::load_trajectory(name);
//       if (reference.optimizer != "Adam") continue;
//       const double rate = reference.hyper.number("lr");
//       ...
//     }
//
// DESCENT_TEST_DATA_DIR names the folder tests/reference.
#ifndef DESCENT_TESTS_SUPPORT_REFERENCE_HPP
#define DESCENT_TESTS_SUPPORT_REFERENCE_HPP

#include "support/record.hpp"

#include <Eigen/Core>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#ifndef DESCENT_TEST_DATA_DIR
#error "define DESCENT_TEST_DATA_DIR as the folder tests/reference, in quotes"
#endif

namespace descent_test {

/// What the reference had reached after step t (t = 1 is after the first update).
struct Checkpoint {
  std::int64_t t = 0;
  Eigen::VectorXd x;
  std::optional<double> loss;  ///< f(x); absent where the gradients are a literal sequence
  Eigen::VectorXd
      sensitivity;  ///< how far rounding alone moves each coefficient, relative to max(1, |x_i|)
  std::map<std::string, Eigen::VectorXd, std::less<>>
      extra;  ///< averaged points, Prodigy's d, counts of L-BFGS
};

struct Trajectory {
  std::string id;         ///< "adam__default__rosen"
  std::string optimizer;  ///< "Adam"
  std::string source;     ///< who made it, which version or commit
  std::string note;       ///< empty where there is none
  /// Spelled as in the source: number("lr"), numbers("betas"), flag("nesterov", false).
  Record hyper;
  Record objective;                 ///< id and constants, for make_objective (objectives.hpp)
  std::vector<Eigen::Index> shape;  ///< {n}, or {rows, columns}: then x is the matrix row by row
  Eigen::VectorXd x0;
  bool step_by_step = true;  ///< false: only the end is comparable (a line search that differs)
  std::vector<Checkpoint> checkpoints;
};

/// The rates of 200 steps: learning_rate[k] is used by step number k = 0, 1, ...
struct Schedule {
  std::string id;         ///< "cosineannealinglr__T200"
  std::string scheduler;  ///< "CosineAnnealingLR"
  std::string source;
  double base_learning_rate = 0;
  Record arguments;  ///< as in the source: arguments.integer("T_max")
  Eigen::VectorXd learning_rate;
  Eigen::VectorXd momentum;  ///< empty where the schedule has none
  Eigen::VectorXd metric;    ///< what ReduceLROnPlateau was given after step k; else empty
};

namespace reference {

inline std::string join(const Record& source) {
  std::string text;
  for (const std::string& name : source.names())
    text += (text.empty() ? "" : "; ") + name + ": " + source.text(name);
  return text;
}

inline void expect(bool condition, const Record& record, const char* message) {
  if (!condition) throw ReferenceError(record.file(), record.line(), message);
}

inline Checkpoint read_checkpoint(const Record& record) {
  constexpr std::array<std::string_view, 8> extras{
      "d", "x_eval", "x_slow", "x_ema", "x_ema_debiased", "x_swa", "func_evals", "n_iter"};
  Checkpoint point;
  point.t = record.integer("t");
  point.x = record.numbers("x");
  point.sensitivity = record.numbers("sens");
  if (record.has("f")) point.loss = record.number("f");
  for (const std::string_view name : extras)
    if (record.has(name)) point.extra.emplace(name, record.numbers(name));
  record.expect_all_read();
  return point;
}

}  // namespace reference

/// A file by its name without ending, relative to tests/reference: "misc/clip", "mgh".
inline Record load_record(std::string_view name) {
  return read_record(std::string(DESCENT_TEST_DATA_DIR) + "/" + std::string(name) + ".txt");
}

/// The names of all files of a folder ("torch", "numpy", "sched", "misc"), sorted; throws when
/// there are none.
inline std::vector<std::string> list(std::string_view folder) {
  const std::filesystem::path path = std::filesystem::path(DESCENT_TEST_DATA_DIR) / folder;
  std::vector<std::string> names;
  std::error_code ignored;  // a folder that cannot be opened is an empty one
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored))
    if (entry.path().extension() == ".txt")
      names.push_back(std::string(folder) + "/" + entry.path().stem().string());
  if (names.empty()) throw ReferenceError(path.string(), 0, "no reference files");
  std::sort(names.begin(), names.end());
  return names;
}

inline Trajectory load_trajectory(std::string_view name) {
  using reference::expect;
  const Record record = load_record(name);
  expect(record.text("format") == "trajectory-1", record, "not a trajectory");
  Trajectory result;
  result.id = record.text("id");
  result.optimizer = record.text("optimizer");
  result.source = reference::join(record.below("source"));
  result.note = record.text("note", "");
  result.hyper = record.below("hyper");
  result.objective = record.below("objective");
  result.x0 = record.numbers("x0");

  const std::string& compare = record.text("compare");
  result.step_by_step = compare == "trajectory";
  expect(result.step_by_step || compare.starts_with("limit"), record,
         "compare is neither trajectory nor limit");

  Eigen::Index size = 1;
  for (const double extent : record.numbers("shape")) {
    expect(extent >= 1 && extent == std::floor(extent) && extent < 1e6, record,
           "shape is not made of sizes");
    result.shape.push_back(static_cast<Eigen::Index>(extent));
    size *= result.shape.back();
  }
  expect(!result.shape.empty() && result.shape.size() <= 2 && result.x0.size() == size, record,
         "x0 does not have the given shape");
  expect(std::string_view(name).ends_with(result.id), record, "the id is not the name of the file");

  std::int64_t previous = 0;
  for (const Record& block : record.blocks("checkpoint")) {
    const Checkpoint& point = result.checkpoints.emplace_back(reference::read_checkpoint(block));
    expect(point.x.size() == size && point.sensitivity.size() == size, block,
           "x or sens has another size than x0");
    expect(point.t > previous, block, "the steps do not increase");
    previous = point.t;
  }
  record.expect_all_read();
  return result;
}

inline Schedule load_schedule(std::string_view name) {
  using reference::expect;
  const Record record = load_record(name);
  expect(record.text("format") == "schedule-1", record, "not a schedule");
  Schedule result;
  result.id = record.text("id");
  result.scheduler = record.text("scheduler");
  result.source = reference::join(record.below("source"));
  result.base_learning_rate = record.number("base_lr");
  result.arguments = record.below("args");
  result.learning_rate = record.numbers("lr");
  if (record.has("momentum")) result.momentum = record.numbers("momentum");
  if (record.has("metric")) result.metric = record.numbers("metric");
  record.text("meaning");  // the same sentence in every file, quoted above
  record.number("closed_form_max_rel_dev",
                0.0);  // how far the recursive form of the source drifts; of no use here
  expect(std::string_view(name).ends_with(result.id), record, "the id is not the name of the file");
  expect(result.learning_rate.size() == 200, record, "not 200 steps");
  for (const Eigen::VectorXd* other : {&result.momentum, &result.metric})
    expect(other->size() == 0 || other->size() == 200, record, "not 200 steps");
  record.expect_all_read();
  return result;
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_REFERENCE_HPP
