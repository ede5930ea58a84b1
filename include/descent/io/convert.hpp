// convert_csv, convert_libsvm: from text to the binary format that MappedData reads, in memory that does not depend on the
// size of either.
//
//     descent::convert_csv("train.csv", "train.descent", {.target = "price"}, {.shuffle_seed = 1});
//
// Shuffled, each row is put into one of many buckets by chance, and each bucket, which fits into memory, is shuffled by
// itself: every order is as likely as the others (P. Sanders, "Random permutations on distributed, external and hierarchical
// memory", Inf. Process. Lett. 67(6), 1998). Runs of samples are then as good as samples drawn without replacement.
#ifndef DESCENT_IO_CONVERT_HPP
#define DESCENT_IO_CONVERT_HPP

#include <Eigen/Core>
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "descent/core/errors.hpp"
#include "descent/core/random.hpp"
#include "descent/io/csv.hpp"
#include "descent/io/data_file.hpp"
#include "descent/io/file_error.hpp"
#include "descent/io/libsvm.hpp"
#include "descent/io/text_lines.hpp"

namespace descent::inline v0 {

/// How a data file is made of text.
struct ConvertOptions {
  std::optional<std::uint64_t> shuffle_seed =
      {};              ///< shuffles the rows, the same way for the same seed and text
  bool dense = false;  ///< of libsvm text: with all coefficients; CSV always is
  std::int64_t memory = std::int64_t{1}
                        << 27;  ///< bytes that shuffling may take, about; at least 1
};

/// Puts rows into an order that only chance and a seed know, through temporary files beside `path`.
template <class Real>
class RowShuffle {
 public:
  /// `text` is the number of bytes that rows are read from, `memory` of those that are shuffled at once. There are at most
  /// 256 buckets: of more than 256 `memory`, about, one takes more memory, in proportion.
  RowShuffle(const std::string& path, std::int64_t text, std::int64_t memory, std::uint64_t seed)
      : random_(seed) {
    // "1," is 2 bytes of text and 8 of a double, "1:1 " is 4 bytes and 12; both with something for their row.
    const std::int64_t count =
        std::clamp<std::int64_t>(text / memory * 6 + text % memory * 6 / memory + 1, 1, 256);
    for (std::int64_t k = 0; k < count; ++k) {
      buckets_.emplace_back(path, join({".", to_text(k)}));
    }
  }

  /// Takes a row.
  void add(const DataRow<Real>& row) {
    PartialFile& bucket = buckets_[random_.below(buckets_.size())];
    const auto count = static_cast<std::int64_t>(row.values.size());
    bucket.write(&count, 1);
    bucket.write(&row.y, 1);
    bucket.write(row.values.data(), row.values.size());
    if (row.sparse) bucket.write(row.columns.data(), row.columns.size());
    sparse_ = row.sparse;
  }

  /// Calls take(row) for each, in the new order.
  template <class Take>
  void drain(const Take& take) {
    std::vector<char> bytes;
    std::vector<std::size_t> rows;  // where they begin
    DataRow<Real> row;
    row.sparse = sparse_;
    for (PartialFile& bucket : buckets_) {
      bytes.resize(static_cast<std::size_t>(bucket.size()));
      bucket.rewind();
      bucket.read(bytes.data(), bytes.size());
      rows.clear();
      for (std::size_t at = 0; at < bytes.size();) {
        rows.push_back(at);
        std::int64_t count = 0;
        at = get(bytes, at, &count, 1);
        at += sizeof(Real) +
              static_cast<std::size_t>(count) * (sizeof(Real) + (sparse_ ? sizeof(int) : 0));
      }
      for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random_.below(i)]);
      for (std::size_t at : rows) {
        std::int64_t count = 0;
        at = get(bytes, at, &count, 1);
        row.values.resize(static_cast<std::size_t>(count));
        row.columns.resize(sparse_ ? row.values.size() : 0);
        at = get(bytes, at, &row.y, 1);
        at = get(bytes, at, row.values.data(), row.values.size());
        get(bytes, at, row.columns.data(), row.columns.size());
        take(row);
      }
    }
  }

 private:
  Random random_;
  std::vector<PartialFile> buckets_;
  bool sparse_ = false;

  template <class T>
  static std::size_t get(const std::vector<char>& bytes, std::size_t at, T* to, std::size_t count) {
    if (count > 0) std::memcpy(to, bytes.data() + at, count * sizeof(T));
    return at + count * sizeof(T);
  }
};

/// The rows of `scan(take)` -> number of columns, which are so many where that is known before, as a data file.
template <class Real, class Scan>
DataHeader convert_rows(const std::string& in, const std::string& out, bool sparse,
                        Eigen::Index columns, const ConvertOptions& options, const Scan& scan) {
  checked_count("ConvertOptions", "memory", options.memory, 1);
  DataWriter<Real> writer(out, sparse, columns);
  const auto write = [&writer](const DataRow<Real>& row) { writer.add(row); };
  if (!options.shuffle_seed) return writer.finish(scan(write));
  RowShuffle<Real> shuffle(out, file_size(in), options.memory, *options.shuffle_seed);
  columns = scan([&shuffle](const DataRow<Real>& row) { shuffle.add(row); });
  shuffle.drain(write);
  return writer.finish(columns);
}

/// Makes a data file of a CSV file, dense, of double or float: MappedData<Real> reads it. `out` is there, or replaced, when it
/// is complete; no other file is left, whatever happens, but `out`.*.part if the process is killed. Throws `FileError`, and
/// `std::invalid_argument` for options that no file fits. Returns the header of `out`.
template <std::floating_point Real = double>
DataHeader convert_csv(const std::string& in, const std::string& out, const CsvOptions& csv = {},
                       const ConvertOptions& options = {}) {
  return convert_rows<Real>(in, out, false, 0, options, [&](const auto& take) {
    std::size_t columns = 0;
    scan_csv<Real>(in, csv, [&](const DataRow<Real>& row) {
      columns = row.values.size();
      take(row);
    });
    return static_cast<Eigen::Index>(columns);
  });
}

/// The same of libsvm's text: sparse, read by MappedSparseData<Real>, or with `dense`, by MappedData<Real>. Dense, the text is
/// read twice unless `libsvm.columns` says how many columns there are.
template <std::floating_point Real = double>
DataHeader convert_libsvm(const std::string& in, const std::string& out,
                          const LibsvmOptions& libsvm = {}, const ConvertOptions& options = {}) {
  LibsvmOptions read = libsvm;
  if (options.dense && libsvm.columns == 0) {
    read.columns = scan_libsvm<Real>(in, libsvm, [](const DataRow<Real>&) {});
  }
  return convert_rows<Real>(in, out, !options.dense, read.columns, options,
                            [&](const auto& take) { return scan_libsvm<Real>(in, read, take); });
}

}  // namespace descent::inline v0

#endif  // DESCENT_IO_CONVERT_HPP
