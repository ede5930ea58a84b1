/// \file
/// Small strict readers for the CSV files under examples/data: a header line, then one row a line,
/// values separated by commas. No quotes, no comments, no spaces around values; whatever does not
/// fit is an error with file, line and column.
///
///     const example::Table data = example::read_csv(path);              // numbers alone
///     data.names; data.values;                                          // rows x columns
///     data.column("progression");                                       // Eigen::VectorXd
///
///     const example::Records certified = example::read_records(path);   // text and numbers
///     certified.number({"Norris", "B1"}, "estimate");    // of the row that begins with Norris,B1
#ifndef DESCENT_EXAMPLES_SUPPORT_CSV_HPP
#define DESCENT_EXAMPLES_SUPPORT_CSV_HPP

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <Eigen/Core>

namespace example {

namespace csv {

[[noreturn]] inline void fail(const std::string& path, std::size_t line, std::size_t column,
                              const std::string& message) {
  throw std::runtime_error(path + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " +
                           message);
}

/// One value, and where it begins: line and column from 1.
struct Field {
  std::string text;
  std::size_t line = 0, column = 0;
};

inline std::vector<Field> split(std::string_view text, std::size_t line) {
  std::vector<Field> fields;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string_view::npos; begin = end + 1) {
    end = text.find(',', begin);
    fields.push_back(
        {std::string(text.substr(begin, end == std::string_view::npos ? end : end - begin)), line,
         begin + 1});
  }
  return fields;
}

/// All rows, the header first, all equally long; line ends may be LF or CRLF.
inline std::vector<std::vector<Field>> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, 1, 1, "cannot be opened");
  std::vector<std::vector<Field>> rows;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    rows.push_back(split(line, number));
    for (const Field& field : rows.back())
      if (field.text.empty()) fail(path, number, field.column, "an empty value");
    if (rows.back().size() != rows.front().size())
      fail(path, number, 1,
           std::to_string(rows.back().size()) + " values under " +
               std::to_string(rows.front().size()) + " names");
  }
  if (file.bad()) fail(path, number, 1, "cannot be read");
  if (rows.size() < 2) fail(path, number + 1, 1, "no rows of data");
  for (auto name = rows[0].begin(); name != rows[0].end(); ++name)
    for (auto other = rows[0].begin(); other != name; ++other)
      if (name->text == other->text)
        fail(path, 1, name->column, "the name " + name->text + " comes twice");
  return rows;
}

/// A finite number that fills its field.
inline double number(const std::string& path, const Field& field) {
  double value = 0;
  const char* const end = field.text.data() + field.text.size();
  const auto [stop, error] = std::from_chars(field.text.data(), end, value);
  if (error != std::errc{} || stop != end || !(value - value == 0))
    fail(path, field.line, field.column, "not a finite number: '" + field.text + "'");
  return value;
}

inline std::size_t index_of(const std::string& path, const std::vector<std::string>& names,
                            std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) fail(path, 1, 1, "there is no column " + std::string(name));
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace csv

/// A file of numbers.
struct Table {
  std::string path;
  std::vector<std::string> names;
  Eigen::MatrixXd values;  ///< rows x columns, one column a name

  Eigen::VectorXd column(std::string_view name) const {
    return values.col(static_cast<Eigen::Index>(csv::index_of(path, names, name)));
  }
};

inline Table read_csv(const std::string& path) {
  const auto rows = csv::read(path);
  Table table{path,
              {},
              Eigen::MatrixXd(static_cast<Eigen::Index>(rows.size() - 1),
                              static_cast<Eigen::Index>(rows[0].size()))};
  for (const csv::Field& name : rows[0]) table.names.push_back(name.text);
  for (std::size_t i = 1; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j)
      table.values(static_cast<Eigen::Index>(i - 1), static_cast<Eigen::Index>(j)) =
          csv::number(path, rows[i][j]);
  return table;
}

/// A file whose rows are found by their first values.
struct Records {
  std::string path;
  std::vector<std::string> names;
  std::vector<std::vector<csv::Field>> rows;

  /// The rows that begin with these values, in the order of the file; throws when there is none.
  std::vector<std::vector<csv::Field>> find(std::initializer_list<std::string_view> keys) const {
    std::vector<std::vector<csv::Field>> found;
    const auto same = [](std::string_view key, const csv::Field& field) {
      return key == field.text;
    };
    for (const auto& row : rows)
      if (keys.size() <= row.size() && std::equal(keys.begin(), keys.end(), row.begin(), same))
        found.push_back(row);
    if (!found.empty()) return found;
    std::string wanted;
    for (const std::string_view key : keys) {
      if (!wanted.empty()) wanted += ',';
      wanted += key;
    }
    csv::fail(path, 1, 1, "there is no row " + wanted);
  }

  /// The number in one column of the one row that begins with these values.
  double number(std::initializer_list<std::string_view> keys, std::string_view column) const {
    const auto found = find(keys);
    if (found.size() > 1)
      csv::fail(path, found[1].front().line, 1, "this row begins as one before it");
    return csv::number(path, found.front()[csv::index_of(path, names, column)]);
  }

  /// The numbers in one column of all rows that begin with these values, in the order of the file.
  Eigen::VectorXd numbers(std::initializer_list<std::string_view> keys,
                          std::string_view column) const {
    const auto found = find(keys);
    Eigen::VectorXd values(static_cast<Eigen::Index>(found.size()));
    for (std::size_t i = 0; i < found.size(); ++i)
      values[static_cast<Eigen::Index>(i)] =
          csv::number(path, found[i][csv::index_of(path, names, column)]);
    return values;
  }
};

inline Records read_records(const std::string& path) {
  auto rows = csv::read(path);
  Records records{path, {}, {}};
  for (const csv::Field& name : rows[0]) records.names.push_back(name.text);
  rows.erase(rows.begin());
  records.rows = std::move(rows);
  return records;
}

}  // namespace example

#endif  // DESCENT_EXAMPLES_SUPPORT_CSV_HPP
