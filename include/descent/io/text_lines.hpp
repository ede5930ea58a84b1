// Lines of a text file and the numbers in them, for the readers of CSV and libsvm text.
//
// A file is read in blocks, so that memory holds a block and the longest line. Lines end with LF or CR LF, the last one also
// with the end of the file; a byte order mark of UTF-8 at the start is skipped. Numbers are read by `std::from_chars`:
// correctly rounded, the decimal point is a point whatever the locale.
#ifndef DESCENT_IO_TEXT_LINES_HPP
#define DESCENT_IO_TEXT_LINES_HPP

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/io/file_error.hpp"

namespace descent::inline v0 {

/// A `std::FILE` that closes itself.
struct CloseFile {
  /// Closes it.
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

/// The size of a file. Throws `FileError`.
inline std::int64_t file_size(const std::string& path) {
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  const long size = file && std::fseek(file.get(), 0, SEEK_END) == 0 ? std::ftell(file.get()) : -1;
  if (size < 0) throw FileError(path, failed_to("opened", errno));
  return size;
}

/// 'text', for messages: shortened, and what does not print as a question mark.
[[gnu::cold]] inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 40;
  std::string shown(text.substr(0, most));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return join({"'", shown, text.size() > most ? "...'" : "'"});
}

/// Without blanks and tabs at either end.
inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The lines of a file, one after another.
class TextLines {
 public:
  /// Throws `FileError` if the file cannot be opened.
  explicit TextLines(std::string path)
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb")), buffer_(block) {
    if (!file_) throw FileError(path_, failed_to("opened", errno));
  }

  /// Goes to the next line; false behind the last one.
  bool next() {
    std::size_t seen = begin_;
    for (;;) {
      const void* found = std::memchr(buffer_.data() + seen, '\n', end_ - seen);
      if (found != nullptr) {
        const auto stop =
            static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
        take(stop, stop + 1);
        return true;
      }
      seen = end_ - begin_;
      if (!fill()) break;
    }
    if (begin_ == end_) return false;
    take(end_, end_);
    return true;
  }

  /// Its text, without its end; valid until the next call.
  std::string_view line() const { return line_; }
  /// Its number, from 1.
  std::int64_t number() const { return number_; }
  /// The name of the file.
  const std::string& path() const { return path_; }

  /// Throws a `FileError` at a place in this line.
  [[noreturn, gnu::cold]] void fail(const char* place, std::string_view what) const {
    throw FileError(path_, number_, place - line_.data() + 1, what);
  }

  /// The number that is all of `text`, a part of this line. Throws a `FileError` otherwise, and for NaN and infinities
  /// unless they are allowed.
  template <class Real>
  Real real(std::string_view text, bool allow_non_finite) const {
    if (text.empty()) fail(text.data(), "a number is missing");
    Real value = 0;
    const std::errc error = read(text, value);
    if (error == std::errc::result_out_of_range) {
      fail(text.data(), join({in_quotes(text), " is out of the range of ",
                              std::is_same_v<Real, float> ? "float" : "double"}));
    }
    if (error != std::errc{}) fail(text.data(), join({in_quotes(text), " is not a number"}));
    if (!allow_non_finite && !std::isfinite(value)) {
      fail(text.data(), join({in_quotes(text), " is not finite"}));
    }
    return value;
  }

  /// Whether a text is a number from its first to its last character, however large.
  static bool is_number(std::string_view text) {
    double value = 0;
    const std::errc error = read(text, value);
    return error == std::errc{} || error == std::errc::result_out_of_range;
  }

 private:
  static constexpr std::size_t block = std::size_t{1} << 16, longest = std::size_t{1} << 28;

  std::string path_;
  OpenFile file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer has been read and not been taken
  std::string_view line_;
  std::int64_t number_ = 0;

  // More text behind end_; what is left of it is moved to the front. False at the end of the file.
  bool fill() {
    std::copy(buffer_.begin() + std::ptrdiff_t(begin_), buffer_.begin() + std::ptrdiff_t(end_),
              buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
    if (end_ == buffer_.size()) {
      if (end_ >= longest) {
        throw FileError(path_, number_ + 1, 1,
                        join({"a line of more than ", to_text(longest), " bytes"}));
      }
      buffer_.resize(2 * end_);
    }
    const std::size_t got =
        std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
    if (got == 0 && std::ferror(file_.get())) throw FileError(path_, failed_to("read", errno));
    end_ += got;
    return got > 0;
  }

  void take(std::size_t stop, std::size_t next) {
    line_ = {buffer_.data() + begin_, stop - begin_};
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    if (++number_ == 1 && line_.starts_with("\xef\xbb\xbf")) line_.remove_prefix(3);
    begin_ = next;
  }

  template <class Real>
  static std::errc read(std::string_view text, Real& value) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (stop != end) return std::errc::invalid_argument;
    if constexpr (std::is_same_v<Real, float>) {
      // What is too small for float is as good as 0, what is too large is refused.
      double wide = 0;
      if (error == std::errc::result_out_of_range &&
          std::from_chars(text.data(), end, wide).ec == std::errc{} && std::abs(wide) < 1) {
        value = static_cast<float>(wide);
        return {};
      }
    }
    return error;
  }
};

/// A sample as it was read: all coefficients of a row, or some of them with their columns.
template <class Real>
struct DataRow {
  Real y = 0;                ///< the target
  std::vector<Real> values;  ///< the coefficients
  std::vector<int> columns;  ///< their columns from 0, ascending; empty: all columns, in order
  bool sparse = false;       ///< whether `columns` counts
};

/// What a target becomes, such as 0 for −1: none leaves it as it is.
using TargetMap = std::function<double(double)>;

}  // namespace descent::inline v0

#endif  // DESCENT_IO_TEXT_LINES_HPP
