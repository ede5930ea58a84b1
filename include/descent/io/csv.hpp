// read_csv: a matrix of numbers and a column of targets from a CSV file.
//
//     age,height,"body mass"          fields between delimiters, maybe in quotes, with blanks around them
//     31,1.78,"71.5"                  as many of them in every line; empty lines are skipped
//
// R. Shafranovich, "Common Format and MIME Type for Comma-Separated Values (CSV) Files", RFC 4180, but for line ends within
// quotes, which no number has. An empty field is an error: nothing here makes up missing values.
#ifndef DESCENT_IO_CSV_HPP
#define DESCENT_IO_CSV_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/io/file_error.hpp"
#include "descent/io/text_lines.hpp"

namespace descent::inline v0 {

/// Whether a CSV file begins with a line of names.
enum class CsvHeader {
  automatic,  ///< it does if no field of its first line is a number
  present,    ///< it does
  absent,     ///< it does not
};

/// How a CSV file is read.
struct CsvOptions {
  Eigen::Index target_column =
      -1;                   ///< the column of y from 0; −1 is the last, −2 the one before it
  std::string target = {};  ///< or its name in the header, which wins
  CsvHeader header = CsvHeader::automatic;  ///< whether there is a line of names
  char delimiter = ',';           ///< between fields; ' ' stands for any number of blanks and tabs
  TargetMap map_target = {};      ///< applied to each target
  bool allow_non_finite = false;  ///< whether "nan" and "inf" are numbers
};

/// Dense samples in memory.
template <class Real>
struct DenseSamples {
  /// n x d, a row a sample.
  Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> x;
  /// n targets.
  Eigen::Matrix<Real, Eigen::Dynamic, 1> y;
  /// The names of the columns of x, if there was a header.
  std::vector<std::string> names;
};

/// The fields of a line of CSV.
class CsvFields {
 public:
  /// Throws `std::invalid_argument` for a delimiter that numbers may hold.
  CsvFields(const TextLines& lines, char delimiter) : lines_(&lines), delimiter_(delimiter) {
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || delimiter == '.' ||
        delimiter == '+' || delimiter == '-' || delimiter == '\0' ||
        ('0' <= delimiter && delimiter <= '9')) {
      throw_invalid("CsvOptions", "delimiter", in_quotes({&delimiter, 1}),
                    "a character that is no part of a number, of a line's end, or a quote");
    }
  }

  /// Those of the line at hand, without blanks and quotes around them; views of the line, valid as long as it is.
  const std::vector<std::string_view>& split() {
    fields_.clear();
    std::string_view rest = lines_->line();
    if (delimiter_ == ' ') rest = trimmed(rest);
    for (;;) {
      rest.remove_prefix((std::min)(rest.find_first_not_of(blanks()), rest.size()));
      if (rest.starts_with('"')) {
        const char* const opened = rest.data();
        rest.remove_prefix(1);
        std::size_t close = rest.find('"');
        while (close != std::string_view::npos && rest.substr(close + 1).starts_with('"'))
          close = rest.find('"', close + 2);
        if (close == std::string_view::npos) lines_->fail(opened, "a quote that is not closed");
        fields_.push_back(trimmed(rest.substr(0, close)));
        rest.remove_prefix(close + 1);
        const std::size_t stop = (std::min)(rest.find_first_not_of(blanks()), rest.size());
        if (stop < rest.size() && rest[stop] != delimiter_ && !(delimiter_ == ' ' && stop > 0))
          lines_->fail(rest.data() + stop, "text behind a closing quote");
        rest.remove_prefix(delimiter_ == ' ' ? 0 : stop);
      } else {
        const std::size_t stop =
            delimiter_ == ' ' ? rest.find_first_of(" \t") : rest.find(delimiter_);
        fields_.push_back(trimmed(rest.substr(0, stop)));
        rest.remove_prefix((std::min)(stop, rest.size()));
      }
      if (rest.empty()) return fields_;
      rest.remove_prefix(1);  // the delimiter
    }
  }

 private:
  const TextLines* lines_;
  char delimiter_;
  std::vector<std::string_view> fields_;

  const char* blanks() const { return delimiter_ == '\t' ? " " : " \t"; }
};

/// The column of the targets among `width`, by name or by number.
[[gnu::cold]] inline std::size_t find_target(const TextLines& lines, const CsvOptions& options,
                                             const std::vector<std::string>& names,
                                             std::size_t width) {
  if (width < 2) lines.fail(lines.line().data(), "one column: features and a target need two");
  if (!options.target.empty()) {
    for (std::size_t j = 0; j < names.size(); ++j) {
      if (names[j] == options.target) return j;
    }
    lines.fail(lines.line().data(), join({names.empty() ? "no header, so no" : "no", " column ",
                                          in_quotes(options.target)}));
  }
  const auto count = static_cast<Eigen::Index>(width);
  const Eigen::Index at = options.target_column + (options.target_column < 0 ? count : 0);
  if (at < 0 || at >= count) {
    throw_invalid(
        "CsvOptions", "target_column", to_text(options.target_column),
        join({"in [", to_text(-count), ", ", to_text(count - 1), "] for ", lines.path()}));
  }
  return static_cast<std::size_t>(at);
}

/// Reads a CSV file row by row: `take(row)` is called with a `DataRow<Real>&` for each. Returns the names of all columns but
/// the target's, none without a header. Memory holds one row. Throws `FileError`.
template <class Real, class Take>
std::vector<std::string> scan_csv(const std::string& path, const CsvOptions& options, Take&& take) {
  TextLines lines(path);
  CsvFields reader(lines, options.delimiter);
  std::vector<std::string> names;
  DataRow<Real> row;
  std::size_t width = 0, target = 0;
  bool any = false;
  while (lines.next()) {
    if (trimmed(lines.line()).empty()) continue;
    const std::vector<std::string_view>& fields = reader.split();
    if (width == 0) {
      width = fields.size();
      bool header = options.header == CsvHeader::present;
      if (options.header == CsvHeader::automatic) {
        header = std::none_of(fields.begin(), fields.end(), TextLines::is_number);
      }
      if (header) {
        for (const std::string_view field : fields) {
          std::string& name = names.emplace_back(field);
          for (std::size_t at = 0; (at = name.find("\"\"", at)) != std::string::npos;)
            name.erase(at++, 1);
        }
      }
      target = find_target(lines, options, names, width);
      if (header) continue;
    }
    if (fields.size() != width) {
      const bool more = fields.size() > width;
      lines.fail(
          more ? fields[width].data() : lines.line().data() + lines.line().size(),
          join({to_text(fields.size()), " fields where the first line has ", to_text(width)}));
    }
    row.values.clear();
    for (std::size_t j = 0; j < width; ++j) {
      const Real value = lines.real<Real>(fields[j], options.allow_non_finite);
      if (j != target) {
        row.values.push_back(value);
      } else {
        row.y = options.map_target
                    ? static_cast<Real>(options.map_target(static_cast<double>(value)))
                    : value;
      }
    }
    any = true;
    take(row);
  }
  if (!any) throw FileError(path, "has no rows");
  if (!names.empty()) names.erase(names.begin() + std::ptrdiff_t(target));
  return names;
}

/// A CSV file as a matrix and targets in memory. Throws `FileError` with file, line and column of what is wrong, and
/// `std::invalid_argument` for options that no file fits.
template <class Real = double>
DenseSamples<Real> read_csv(const std::string& path, const CsvOptions& options = {}) {
  DenseSamples<Real> samples;
  std::vector<Real> x, y;
  samples.names = scan_csv<Real>(path, options, [&](const DataRow<Real>& row) {
    x.insert(x.end(), row.values.begin(), row.values.end());
    y.push_back(row.y);
  });
  const auto n = static_cast<Eigen::Index>(y.size());
  const auto size = static_cast<Eigen::Index>(x.size());
  samples.x = Eigen::Map<const decltype(samples.x)>(x.data(), n, size / n);
  samples.y = Eigen::Map<const decltype(samples.y)>(y.data(), n);
  return samples;
}

}  // namespace descent::inline v0

#endif  // DESCENT_IO_CSV_HPP
