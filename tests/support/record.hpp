// The text format of the reference data under tests/reference/, read without any library but the
// standard one and Eigen.
//
// A file is a sequence of lines, each one of
//
//     # a comment
//     name value value ...              numbers with single spaces between; or nan, inf, -inf
//     name [rows x columns] value ...   a matrix, row by row
//     name true | false | none          a flag, or a value that the source left open
//     name = some text                  everything behind " = "
//     begin name ... end name           a nested record; the same name may come again, in order
//
// Nothing is skipped: a malformed number, a name that comes twice, a missing or a left-over entry
// throws, with file and line.
#ifndef DESCENT_TESTS_SUPPORT_RECORD_HPP
#define DESCENT_TESTS_SUPPORT_RECORD_HPP

#include <Eigen/Core>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace descent_test {

/// A mistake in a reference file, or in what a test expects of it.
struct ReferenceError : std::runtime_error {
  ReferenceError(const std::string& file, std::size_t line, const std::string& message)
      : std::runtime_error(file + ":" + std::to_string(line) + ": " + message) {}
};

/// The double that a word spells, subnormals included; false when the word is anything but one
/// number.
inline bool parse_number(std::string_view word, double& number) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (word == "nan")
    number = std::numeric_limits<double>::quiet_NaN();
  else if (word == "inf")
    number = infinity;
  else if (word == "-inf")
    number = -infinity;
  else {
    // from_chars would read "infinity" and "nan(x)" as well: what is no word above has to begin
    // with a digit or a sign.
    const std::size_t first = word.starts_with('-') ? 1 : 0;
    if (first >= word.size() || ((word[first] < '0' || word[first] > '9') && word[first] != '.'))
      return false;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, number);
    return error == std::errc{} && stop == end;
  }
  return true;
}

/// Named values and nested records, in the order of the file. Each lookup without a fallback throws
/// when the entry is missing, and each throws when the entry is of another kind.
class Record {
 public:
  Record(std::string file = {}, std::size_t line = 0) : file_(std::move(file)), line_(line) {}

  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }

  double number(std::string_view name) const {
    const Value& value = find(name, Kind::numbers);
    if (value.rows != 0 || value.numbers.size() != 1) fail(value, name, "is not one number");
    return value.numbers.front();
  }
  double number(std::string_view name, double fallback) const {
    return absent(name) ? fallback : number(name);
  }

  std::int64_t integer(std::string_view name) const {
    const double value = number(name);
    constexpr double largest = 9007199254740992.0;  // 2^53
    if (!(std::abs(value) <= largest) || value != std::floor(value))
      fail(find(name, Kind::numbers), name, "is not an integer");
    return static_cast<std::int64_t>(value);
  }
  std::int64_t integer(std::string_view name, std::int64_t fallback) const {
    return absent(name) ? fallback : integer(name);
  }

  Eigen::VectorXd numbers(std::string_view name) const {
    const Value& value = find(name, Kind::numbers);
    if (value.rows != 0) fail(value, name, "is a matrix, not a list of numbers");
    return Eigen::Map<const Eigen::VectorXd>(value.numbers.data(),
                                             static_cast<Eigen::Index>(value.numbers.size()));
  }

  Eigen::MatrixXd matrix(std::string_view name) const {
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Value& value = find(name, Kind::numbers);
    if (value.rows == 0) fail(value, name, "is a list of numbers, not a matrix");
    return Eigen::Map<const RowMajor>(value.numbers.data(), value.rows, value.columns);
  }

  bool flag(std::string_view name) const { return find(name, Kind::flag).flag; }
  bool flag(std::string_view name, bool fallback) const {
    return absent(name) ? fallback : flag(name);
  }

  const std::string& text(std::string_view name) const { return find(name, Kind::text).text; }
  std::string text(std::string_view name, std::string fallback) const {
    return absent(name) ? fallback : text(name);
  }

  /// The nested records of one name; throws when there is none, since a test over nothing passes.
  const std::vector<Record>& blocks(std::string_view name) const {
    const auto found = blocks_.find(name);
    if (found == blocks_.end())
      throw ReferenceError(file_, line_, "there is no block " + std::string(name));
    read_blocks_[found->first] = true;
    return found->second;
  }
  bool has_blocks(std::string_view name) const { return blocks_.find(name) != blocks_.end(); }

  /// What is below a prefix ("hyper"), with "hyper." cut off the names. What is taken out counts as
  /// read here.
  Record below(std::string_view prefix) const {
    const std::string start = std::string(prefix) + ".";
    Record result(file_, line_);
    for (const auto& [name, value] : values_)
      if (name.starts_with(start)) {
        result.values_.emplace(name.substr(start.size()), value).first->second.read = false;
        value.read = true;
      }
    for (const auto& [name, records] : blocks_)
      if (name.starts_with(start)) {
        result.blocks_.emplace(name.substr(start.size()), records);
        read_blocks_[name] = true;
      }
    return result;
  }

  /// Throws, naming the first entry that nobody asked for: a test that ignores a hyper-parameter
  /// compares another method.
  void expect_all_read() const {
    for (const auto& [name, value] : values_)
      if (!value.read) fail(value, name, "was not read by anybody");
    for (const auto& [name, records] : blocks_)
      if (!read_blocks_[name])
        throw ReferenceError(records.front().file_, records.front().line_,
                             name + " was not read by anybody");
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : values_) result.push_back(entry.first);
    return result;
  }
  const std::string& file() const { return file_; }
  std::size_t line() const { return line_; }

 private:
  friend class RecordParser;
  enum class Kind { numbers, text, flag, none };
  struct Value {
    Kind kind = Kind::none;
    std::size_t line = 0;
    std::vector<double> numbers;
    Eigen::Index rows = 0, columns = 0;  // 0 for a plain list
    std::string text;
    bool flag = false;
    mutable bool read = false;
  };

  bool absent(std::string_view name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return true;
    if (found->second.kind != Kind::none) return false;
    found->second.read = true;
    return true;
  }

  const Value& find(std::string_view name, Kind kind) const {
    const auto found = values_.find(name);
    if (found == values_.end())
      throw ReferenceError(file_, line_, "there is no entry " + std::string(name));
    if (found->second.kind != kind) {
      constexpr const char* kinds[] = {"are not numbers", "is not a text", "is not a flag",
                                       "is not none"};
      fail(found->second, name, kinds[static_cast<std::size_t>(kind)]);
    }
    found->second.read = true;
    return found->second;
  }

  [[noreturn]] void fail(const Value& value, std::string_view name, const char* message) const {
    throw ReferenceError(file_, value.line, std::string(name) + " " + message);
  }

  std::string file_;
  std::size_t line_;
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, std::vector<Record>, std::less<>> blocks_;
  mutable std::map<std::string, bool, std::less<>> read_blocks_;
};

class RecordParser {
 public:
  RecordParser(std::string_view text, std::string file) : rest_(text), file_(std::move(file)) {}

  Record parse() {
    Record result(file_, 1);
    fill(result, {});
    return result;
  }

 private:
  using Kind = Record::Kind;

  bool next_line(std::string_view& line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) error("the last line does not end: is the file cut off?", 1);
    line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++line_;
    return true;
  }

  void fill(Record& record, std::string_view block) {
    for (std::string_view line; next_line(line);) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      if (line.empty() || line.front() == '#') continue;
      const std::string_view name = cut_word(line);
      if (name == "begin") {
        const std::string key(line);
        Record& nested = record.blocks_[key].emplace_back(file_, line_);
        if (key.empty() || record.has(key)) error("a block without a name of its own: " + key);
        fill(nested, key);
      } else if (name == "end") {
        if (block.empty() || line != block) error("end " + std::string(line) + " closes nothing");
        return;
      } else {
        add(record, name, line);
      }
    }
    if (!block.empty()) error("the block " + std::string(block) + " has no end");
  }

  void add(Record& record, std::string_view name, std::string_view rest) {
    Record::Value value;
    value.line = line_;
    if (rest.starts_with("= ")) {
      value.kind = Kind::text;
      value.text = rest.substr(2);
      if (value.text.empty()) error(std::string(name) + " has an empty text");
    } else if (rest == "true" || rest == "false") {
      value.kind = Kind::flag;
      value.flag = rest == "true";
    } else if (rest != "none") {
      value.kind = Kind::numbers;
      if (rest.starts_with('[')) read_shape(rest, value);
      while (!rest.empty()) {
        const std::string_view word = cut_word(rest);
        double number = 0;
        if (!parse_number(word, number)) error("not a number: '" + std::string(word) + "'");
        value.numbers.push_back(number);
      }
      if (value.rows != 0 &&
          value.numbers.size() != static_cast<std::size_t>(value.rows * value.columns))
        error(std::string(name) + " does not have rows x columns numbers");
    }
    if (record.blocks_.contains(name) ||
        !record.values_.emplace(std::string(name), std::move(value)).second)
      error(std::string(name) + " comes twice");
  }

  void read_shape(std::string_view& rest, Record::Value& value) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos) error("a matrix begins with [rows x columns]");
    std::string_view shape = rest.substr(1, end - 1);
    const std::string_view rows = cut_word(shape), times = cut_word(shape);
    if (!read_size(rows, value.rows) || times != "x" || !read_size(shape, value.columns))
      error("a matrix begins with [rows x columns]");
    rest.remove_prefix(end + 1);
    if (!rest.starts_with(' ')) error("a matrix without numbers");
    rest.remove_prefix(1);
  }

  static bool read_size(std::string_view word, Eigen::Index& size) {
    const char* const end = word.data() + word.size();
    const auto [stop, code] = std::from_chars(word.data(), end, size);
    return code == std::errc{} && stop == end && size > 0 && size < 100'000;
  }

  std::string_view cut_word(std::string_view& line) {
    const std::size_t end = line.find(' ');
    const std::string_view word = line.substr(0, end);
    if (word.empty()) error("two spaces in a row");
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    if (end != std::string_view::npos && line.empty()) error("a space at the end of the line");
    return word;
  }

  [[noreturn]] void error(const std::string& message, std::size_t later = 0) const {
    throw ReferenceError(file_, line_ + later, message);
  }

  std::string_view rest_;
  std::string file_;
  std::size_t line_ = 0;
};

/// Reads a record from text; `file` is what error messages call it.
inline Record parse_record(std::string_view text, std::string file = "text") {
  return RecordParser(text, std::move(file)).parse();
}

/// Reads a record from a file.
inline Record read_record(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) throw ReferenceError(path, 1, "cannot be read");
  return parse_record(std::move(text).str(), path);
}

}  // namespace descent_test

#endif  // DESCENT_TESTS_SUPPORT_RECORD_HPP
