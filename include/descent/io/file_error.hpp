// FileError: what is wrong with a file, and where.
//
//     data.csv:17:4: 'abc' is not a number
//
// Lines and columns count from 1, columns in bytes, as compilers and editors do.
#ifndef DESCENT_IO_FILE_ERROR_HPP
#define DESCENT_IO_FILE_ERROR_HPP

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "descent/core/errors.hpp"

namespace descent::inline v0 {

/// A file that cannot be read or written, or does not hold what it should. The message begins with its name.
class FileError : public std::runtime_error {
 public:
  /// "file: what"
  FileError(std::string_view file, std::string_view what)
      : std::runtime_error(join({file, ": ", what})), file_size_(file.size()) {}
  /// "file:line:column: what"
  FileError(std::string_view file, std::int64_t line, std::int64_t column, std::string_view what)
      : std::runtime_error(join({file, ":", to_text(line), ":", to_text(column), ": ", what})),
        file_size_(file.size()),
        line_(line),
        column_(column) {}

  /// The name of the file, as it was given.
  std::string_view file() const { return {what(), file_size_}; }
  /// The line, from 1; 0 where there is none.
  std::int64_t line() const { return line_; }
  /// The byte in the line, from 1; 0 where there is none.
  std::int64_t column() const { return column_; }

 private:
  std::size_t file_size_;
  std::int64_t line_ = 0, column_ = 0;
};

/// "cannot be read: No such file or directory", from `errno`.
inline std::string failed_to(std::string_view verb, int error) {
  return join({"cannot be ", verb, ": ", std::strerror(error)});
}

}  // namespace descent::inline v0

#endif  // DESCENT_IO_FILE_ERROR_HPP
