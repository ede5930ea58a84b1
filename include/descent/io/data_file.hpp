// The binary format of data sets larger than memory, and how it is written.
//
// A file is a header of 64 bytes and sections, each at a multiple of 64 bytes, zeros between them. Numbers are those of the
// machine that wrote it (IEEE 754, two's complement); another byte order is refused.
//
//     bytes    what
//     0 - 7    89 44 53 43 4E 0D 0A 1A: "DSCN" between bytes that transfers as text destroy
//     8 - 11   the number 0x01020304, which shows the byte order
//     12 - 15  version of the format: 1
//     16 - 19  bytes of a coefficient: 4 (float) or 8 (double)
//     20 - 23  layout: 0 dense, 1 sparse
//     24 - 31  n, the number of rows (samples), at least 1
//     32 - 39  d, the number of columns (features), at least 1
//     40 - 47  m, the number of coefficients stored: n d if dense
//     48 - 55  bytes of the whole file
//     56 - 63  checksum of bytes 0 to 55: FNV-1a, 64 bits
//
//     dense:   X      n d coefficients, row by row
//              y      n targets, of the same type
//     sparse:  values     m coefficients, row by row
//              columns    m numbers of 4 bytes, from 0, ascending within a row
//              starts     n + 1 numbers of 4 bytes: row i is at starts[i] to starts[i + 1] − 1
//              y          n targets
//
// A sparse file has at most 2³¹ − 1 columns and coefficients, as Eigen's sparse matrices count by int. FNV-1a: G. Fowler,
// L. C. Noll, K.-P. Vo, D. Eastlake, RFC 9923; each of its steps is a bijection, so a change within one byte always shows.
#ifndef DESCENT_IO_DATA_FILE_HPP
#define DESCENT_IO_DATA_FILE_HPP

#if !__has_include(<sys/mman.h>)
#error "descent/io/data_file.hpp and mapped_data.hpp need a POSIX system (mmap)"
#endif

#include <unistd.h>

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <algorithm>
#include <array>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/engine/linear_rows.hpp"
#include "descent/io/file_error.hpp"
#include "descent/io/text_lines.hpp"

namespace descent::inline v0 {

/// The header of a data file, and where its sections are.
struct DataHeader {
  std::uint32_t scalar = 8;  ///< bytes of a coefficient
  bool sparse = false;       ///< the layout
  std::int64_t rows = 0;     ///< n
  std::int64_t columns = 0;  ///< d
  std::int64_t stored = 0;   ///< m, n d if dense

  /// Bytes of the header in the file.
  static constexpr std::int64_t bytes = 64;
  /// Largest n, d and m, so that no size overflows.
  static constexpr std::int64_t most = std::int64_t{1} << 56;
  /// Largest d and m of sparse data.
  static constexpr std::int64_t most_sparse = std::numeric_limits<std::int32_t>::max();

  /// Where the section begins: 0 coefficients, 1 columns, 2 starts, 3 targets, 4 the end of the file.
  std::int64_t section(int which) const {
    const std::int64_t sizes[4] = {stored * scalar, sparse ? stored * 4 : 0,
                                   sparse ? (rows + 1) * 4 : 0, rows * scalar};
    std::int64_t at = bytes;
    for (int i = 0; i < which; ++i) at += i < 3 ? aligned(sizes[i]) : sizes[i];
    return at;
  }
  /// The next multiple of 64.
  static constexpr std::int64_t aligned(std::int64_t size) { return (size + 63) / 64 * 64; }

  /// As it stands in the file.
  std::array<unsigned char, bytes> encoded() const {
    std::array<unsigned char, bytes> text{};
    std::memcpy(text.data(), magic, 8);
    put(text, 8, order);
    put(text, 12, version);
    put(text, 16, scalar);
    put(text, 20, std::uint32_t(sparse ? 1 : 0));
    put(text, 24, rows);
    put(text, 32, columns);
    put(text, 40, stored);
    put(text, 48, section(4));
    put(text, 56, checksum(text));
    return text;
  }

  /// From the first bytes of a file of `size` bytes; what is promised has been compared with that size. Throws `FileError`.
  static DataHeader decoded(const std::array<unsigned char, bytes>& text, std::int64_t size,
                            std::string_view file) {
    const auto refuse = [file](std::string_view what) { throw FileError(file, what); };
    if (std::memcmp(text.data(), magic, 8) != 0) {
      refuse(
          "is no data file of descent, which begin with another 8 bytes (convert_csv and "
          "convert_libsvm make them)");
    }
    const auto mark = get<std::uint32_t>(text, 8);
    if (mark == 0x04030201) refuse("was written on a machine with the other order of bytes");
    if (mark != order || get<std::uint64_t>(text, 56) != checksum(text)) {
      refuse("has a damaged header: its checksum does not fit");
    }
    if (const auto v = get<std::uint32_t>(text, 12); v != version) {
      refuse(join({"has version ", to_text(v), " of the format, and 1 is known"}));
    }
    const auto layout = get<std::uint32_t>(text, 20);
    const DataHeader header{get<std::uint32_t>(text, 16), layout == 1, get<std::int64_t>(text, 24),
                            get<std::int64_t>(text, 32), get<std::int64_t>(text, 40)};
    if ((header.scalar != 4 && header.scalar != 8) || layout > 1 || !header.plausible()) {
      refuse(join({"has an impossible header: ", shape_text(header.rows, header.columns), ", ",
                   to_text(header.stored), " coefficients of ", to_text(header.scalar),
                   " bytes, layout ", to_text(layout)}));
    }
    if (size != header.section(4) || size != get<std::int64_t>(text, 48)) {
      refuse(join({"has ", to_text(size), " bytes, its header says ", to_text(header.section(4)),
                   ": it is ", size < header.section(4) ? "cut off" : "too long"}));
    }
    return header;
  }

  friend bool operator==(const DataHeader&, const DataHeader&) = default;

 private:
  static constexpr unsigned char magic[] = {0x89, 'D', 'S', 'C', 'N', '\r', '\n', 0x1a};
  static constexpr std::uint32_t order = 0x01020304, version = 1;

  bool plausible() const {
    const std::int64_t limit = sparse ? most_sparse : most;
    if (rows < 1 || columns < 1 || stored < 0) return false;
    if (rows > most || columns > limit || stored > limit) return false;
    return sparse ? stored / columns <= rows : columns <= most / rows && stored == rows * columns;
  }

  template <class T>
  static void put(std::array<unsigned char, bytes>& text, std::size_t at, T value) {
    std::memcpy(text.data() + at, &value, sizeof value);
  }
  template <class T>
  static T get(const std::array<unsigned char, bytes>& text, std::size_t at) {
    T value;
    std::memcpy(&value, text.data() + at, sizeof value);
    return value;
  }
  static std::uint64_t checksum(const std::array<unsigned char, bytes>& text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (std::size_t i = 0; i < 56; ++i) hash = (hash ^ text[i]) * 0x100000001b3;
    return hash;
  }
};

/// A file being written, beside the one that it will become: nothing stands under a name before it is complete.
class PartialFile {
 public:
  /// `path` is the name to be, `suffix` that of a part, which has no name as soon as it is open. Throws `FileError`.
  PartialFile(std::string path, std::string_view suffix)
      : path_(std::move(path)),
        part_(join({path_, ".", to_text(getpid()), suffix, ".part"})),
        file_(std::fopen(part_.c_str(), "w+b")) {
    if (!file_) throw FileError(part_, failed_to("created", errno));
    if (!suffix.empty()) std::remove(part_.c_str());
  }
  /// Movable: the one moved from is none.
  PartialFile(PartialFile&&) = default;
  ~PartialFile() {
    if (file_) std::remove(part_.c_str());
  }

  /// Appends `count` numbers.
  template <class T>
  void write(const T* data, std::size_t count) {
    if (count > 0 && std::fwrite(data, sizeof(T), count, file_.get()) != count) fail("written");
    size_ += std::int64_t(count * sizeof(T));
  }
  /// Zeros up to a multiple of 64.
  void align() {
    constexpr char zeros[64] = {};
    write(zeros, static_cast<std::size_t>(DataHeader::aligned(size_) - size_));
  }
  /// Appends all of another file.
  void append(PartialFile& other) {
    std::vector<char> block(std::size_t{1} << 18);
    other.rewind();
    for (std::int64_t left = other.size_; left > 0;) {
      const std::size_t count = (std::min)(block.size(), static_cast<std::size_t>(left));
      other.read(block.data(), count);
      write(block.data(), count);
      left -= std::int64_t(count);
    }
  }
  /// To the first byte.
  void rewind() {
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) fail("read");
  }
  /// The next `count` numbers.
  template <class T>
  void read(T* data, std::size_t count) {
    if (count > 0 && std::fread(data, sizeof(T), count, file_.get()) != count) fail("read");
  }
  /// How many bytes were written.
  std::int64_t size() const { return size_; }

  /// Puts the file, on the disk to its last byte, in the place of `path`.
  void finish() {
    if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) fail("written");
    if (std::fclose(file_.release()) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) {
      const int error = errno;
      std::remove(part_.c_str());
      throw FileError(path_, failed_to("written", error));
    }
  }

 private:
  std::string path_, part_;
  OpenFile file_;
  std::int64_t size_ = 0;

  [[noreturn, gnu::cold]] void fail(std::string_view verb) const {
    throw FileError(part_, failed_to(verb, errno));
  }
};

/// Writes a data file row by row, in memory that does not depend on its size; `path` shows it, or is replaced by it, when it
/// is complete.
template <std::floating_point Real>
class DataWriter {
 public:
  /// Dense or sparse, of so many columns; sparse they may be 0 and be told at the end. Throws `FileError`.
  DataWriter(const std::string& path, bool sparse, Eigen::Index columns)
      : path_(path), values_(path, ""), targets_(path, ".y") {
    static_assert(std::is_same_v<Real, float> || std::is_same_v<Real, double>,
                  "a data file holds float or double");
    header_.scalar = sizeof(Real);
    header_.sparse = sparse;
    header_.columns = columns;
    values_.write(std::array<unsigned char, DataHeader::bytes>{}.data(), DataHeader::bytes);
    if (sparse) {
      sides_.emplace_back(path, ".columns");
      sides_.emplace_back(path, ".starts");
      start();
    } else {
      dense_.resize(static_cast<std::size_t>(columns));
    }
  }

  /// Appends a sample. A dense file takes sparse rows, a sparse file no dense ones.
  void add(const DataRow<Real>& row) {
    if (header_.sparse) {
      values_.write(row.values.data(), row.values.size());
      sides_[0].write(row.columns.data(), row.columns.size());
      header_.stored += static_cast<std::int64_t>(row.values.size());
      if (header_.stored > DataHeader::most_sparse) {
        throw FileError(path_, join({"would have more than ", to_text(DataHeader::most_sparse),
                                     " coefficients, too many for a sparse file"}));
      }
      start();
    } else if (row.sparse) {
      std::fill(dense_.begin(), dense_.end(), Real(0));
      for (std::size_t k = 0; k < row.values.size(); ++k)
        dense_[static_cast<std::size_t>(row.columns[k])] = row.values[k];
      values_.write(dense_.data(), dense_.size());
    } else {
      values_.write(row.values.data(), row.values.size());
    }
    targets_.write(&row.y, 1);
    ++header_.rows;
  }

  /// Completes the file; `columns` if they were not told before. Returns what its header says.
  DataHeader finish(Eigen::Index columns = 0) {
    if (header_.columns == 0) header_.columns = columns;
    if (!header_.sparse) header_.stored = header_.rows * header_.columns;
    values_.align();
    for (PartialFile& side : sides_) {
      values_.append(side);
      values_.align();
    }
    values_.append(targets_);
    values_.rewind();
    values_.write(header_.encoded().data(), header_.encoded().size());
    values_.finish();
    return header_;
  }

 private:
  std::string path_;
  DataHeader header_;
  PartialFile values_, targets_;
  std::vector<PartialFile> sides_;  // columns, starts
  std::vector<Real> dense_;

  void start() {
    const auto at = static_cast<std::int32_t>(header_.stored);
    sides_[1].write(&at, 1);
  }
};

/// Writes X (dense, or a row-major `Eigen::SparseMatrix`) and y into a data file. Throws `FileError`, and
/// `std::invalid_argument` for an empty X or a y of another size.
template <class X, class Y>
DataHeader write_data(const std::string& path, const X& x, const Y& y) {
  using Real = typename X::Scalar;
  const Eigen::Index n = x.rows(), d = x.cols();
  if (n < 1 || d < 1) throw_invalid("write_data", "X", shape_text(n, d), "at least 1 x 1");
  if (y.size() != n) {
    throw_invalid("write_data", "y", join({to_text(y.size()), " coefficients"}),
                  join({"one coefficient a row of X, ", to_text(n)}));
  }
  DataWriter<Real> writer(path, is_sparse<X>, d);
  DataRow<Real> row;
  row.sparse = is_sparse<X>;
  for (Eigen::Index i = 0; i < n; ++i) {
    row.y = static_cast<Real>(y[i]);
    row.values.clear();
    row.columns.clear();
    LinearRows<X>::each(x, i, [&row](Eigen::Index j, Real value) {
      row.values.push_back(value);
      if (is_sparse<X>) row.columns.push_back(static_cast<int>(j));
    });
    writer.add(row);
  }
  return writer.finish();
}

}  // namespace descent::inline v0

#endif  // DESCENT_IO_DATA_FILE_HPP
