// read_libsvm: sparse features and targets from the text format of LIBSVM and LIBLINEAR.
//
//     +1 3:0.5 17:-2 # a comment        target, then index:value, indices ascending
//
// C.-C. Chang and C.-J. Lin, "LIBSVM: a library for support vector machines", ACM Trans. Intell. Syst. Technol. 2(3), 2011.
// Indices count from 1, as there; scikit-learn guesses, and takes a file for zero-based if an index is 0.
#ifndef DESCENT_IO_LIBSVM_HPP
#define DESCENT_IO_LIBSVM_HPP

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/io/file_error.hpp"
#include "descent/io/text_lines.hpp"

namespace descent::inline v0 {

/// How a file in libsvm's format is read.
struct LibsvmOptions {
  Eigen::Index columns = 0;   ///< the number of features; 0: the largest index that occurs
  bool zero_based = false;    ///< whether the first index is 0
  TargetMap map_target = {};  ///< applied to each target; the labels −1 and 1 are 0 and 1 here
  bool allow_non_finite = false;  ///< whether "nan" and "inf" are numbers
};

/// Sparse samples in memory.
template <class Real>
struct SparseSamples {
  /// n x d, a row a sample.
  Eigen::SparseMatrix<Real, Eigen::RowMajor> x;
  /// n targets.
  Eigen::Matrix<Real, Eigen::Dynamic, 1> y;
};

/// Reads a file in libsvm's format row by row: `take(row)` is called with a `DataRow<Real>&` for each. Returns the number of
/// columns. Memory holds one row. Throws `FileError`.
template <class Real, class Take>
Eigen::Index scan_libsvm(const std::string& path, const LibsvmOptions& options, Take&& take) {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  checked_count("LibsvmOptions", "columns", options.columns, 0);
  if (options.columns > most) {
    throw_invalid("LibsvmOptions", "columns", to_text(options.columns),
                  join({"at most ", to_text(most)}));
  }
  TextLines lines(path);
  const std::int64_t base = options.zero_based ? 0 : 1;
  std::int64_t largest = -1;
  DataRow<Real> row;
  row.sparse = true;
  bool any = false;
  while (lines.next()) {
    std::string_view rest = lines.line().substr(0, lines.line().find('#'));
    const auto token = [&rest] {
      rest = trimmed(rest);
      const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
      rest.remove_prefix(word.size());
      return word;
    };
    const std::string_view label = token();
    if (label.empty()) continue;
    if (label.find(':') != std::string_view::npos)
      lines.fail(label.data(), "the target is missing");
    row.y = lines.real<Real>(label, options.allow_non_finite);
    if (options.map_target)
      row.y = static_cast<Real>(options.map_target(static_cast<double>(row.y)));
    row.values.clear();
    row.columns.clear();
    std::int64_t last = -1;
    for (std::string_view pair = token(); !pair.empty(); pair = token()) {
      const std::size_t colon = pair.find(':');
      const std::string_view name = pair.substr(0, colon);
      if (colon == std::string_view::npos) {
        lines.fail(pair.data(), join({in_quotes(pair), " is not index:value"}));
      }
      if (name == "qid") lines.fail(pair.data(), "'qid': queries to be ranked are not supported");
      std::int64_t index = 0;
      const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), index);
      const bool is_whole = !name.empty() && stop == name.data() + name.size();
      if (!is_whole || (error != std::errc{} && error != std::errc::result_out_of_range)) {
        lines.fail(pair.data(), join({in_quotes(name), " is not an index"}));
      }
      if (error == std::errc::result_out_of_range) index = name[0] == '-' ? -1 : most + 1;
      if (index < base) {
        lines.fail(pair.data(), index == 0
                                    ? "index 0: indices count from 1, unless zero_based is set"
                                    : join({"index ", to_text(index), " is negative"}));
      }
      index -= base;
      if (index >= (options.columns > 0 ? options.columns : most)) {
        lines.fail(pair.data(), join({"index ", name, " of ",
                                      to_text(options.columns > 0 ? options.columns : most),
                                      options.columns > 0 ? " columns" : " columns at most"}));
      }
      if (index <= last) {
        lines.fail(pair.data(),
                   join({"index ", name,
                         index == last ? " occurs twice" : " is not above the one before"}));
      }
      last = index;
      row.columns.push_back(static_cast<int>(index));
      row.values.push_back(lines.real<Real>(pair.substr(colon + 1), options.allow_non_finite));
    }
    largest = (std::max)(largest, last);
    any = true;
    take(row);
  }
  if (!any) throw FileError(path, "has no rows");
  if (options.columns == 0 && largest < 0) throw FileError(path, "has no features");
  return options.columns > 0 ? options.columns : static_cast<Eigen::Index>(largest + 1);
}

/// A file in libsvm's format as a sparse matrix and targets in memory. Throws `FileError` with file, line and column of
/// what is wrong.
template <class Real = double>
SparseSamples<Real> read_libsvm(const std::string& path, const LibsvmOptions& options = {}) {
  std::vector<Real> values, y;
  std::vector<int> columns, starts{0};
  const Eigen::Index d = scan_libsvm<Real>(path, options, [&](const DataRow<Real>& row) {
    if (values.size() + row.values.size() > std::size_t(std::numeric_limits<int>::max())) {
      throw FileError(
          path,
          "has more than 2147483647 coefficients, which Eigen's sparse matrices count by int");
    }
    values.insert(values.end(), row.values.begin(), row.values.end());
    columns.insert(columns.end(), row.columns.begin(), row.columns.end());
    starts.push_back(static_cast<int>(values.size()));
    y.push_back(row.y);
  });
  const auto n = static_cast<Eigen::Index>(y.size());
  SparseSamples<Real> samples;
  // By hand: assigning sparse matrices makes room for twice the number of columns, however few are occupied.
  samples.x.resize(n, d);
  samples.x.resizeNonZeros(static_cast<Eigen::Index>(values.size()));
  std::copy(starts.begin(), starts.end(), samples.x.outerIndexPtr());
  std::copy(columns.begin(), columns.end(), samples.x.innerIndexPtr());
  std::copy(values.begin(), values.end(), samples.x.valuePtr());
  samples.y = Eigen::Map<const decltype(samples.y)>(y.data(), n);
  return samples;
}

}  // namespace descent::inline v0

#endif  // DESCENT_IO_LIBSVM_HPP
