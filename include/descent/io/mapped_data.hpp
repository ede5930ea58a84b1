// MappedData: a data file (io/data_file.hpp) in the place of matrices, for data larger than memory.
//
//     descent::MappedData<double> data("train.descent");
//     descent::LogisticRegression model(data.x(), data.y());
//
// The file is mapped, so the system reads what is touched and forgets it when memory is short. A pass over all samples goes
// from chunk to chunk: the model says which rows come after the next chunk, whose reading begins then, and gives back the
// pages of those that are done, so that a process holds a few chunks of 4096 samples however long the file is. Mini-batches
// by index read where their samples are: for files larger than memory, shuffle the rows once (`ConvertOptions`) and take runs.
#ifndef DESCENT_IO_MAPPED_DATA_HPP
#define DESCENT_IO_MAPPED_DATA_HPP

#if !__has_include(<sys/mman.h>)
#error "descent/io/data_file.hpp and mapped_data.hpp need a POSIX system (mmap)"
#endif

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <Eigen/Core>
#include <Eigen/SparseCore>
#include <algorithm>
#include <array>
#include <cerrno>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "descent/core/errors.hpp"
#include "descent/io/data_file.hpp"
#include "descent/io/file_error.hpp"

namespace descent::inline v0 {

/// How a data file is mapped.
struct MapOptions {
  /// Whether pages that were read stay in the process: a pass over a file that fits into memory is faster so.
  bool keep = false;
};

/// A file in memory, for reading.
class Mapping {
 public:
  /// Throws `FileError` unless it is a data file of this type, all of it.
  Mapping(const std::string& path, std::size_t scalar, bool sparse) {
    struct Descriptor {
      int number;
      ~Descriptor() {
        if (number >= 0) ::close(number);
      }
    } const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat status {};
    if (file.number < 0 || ::fstat(file.number, &status) != 0) {
      throw FileError(path, failed_to("opened", errno));
    }
    if (!S_ISREG(status.st_mode)) throw FileError(path, "is no file");
    std::array<unsigned char, DataHeader::bytes> text{};
    if (status.st_size < DataHeader::bytes) {
      throw FileError(path, join({"has ", to_text(std::int64_t(status.st_size)),
                                  " bytes, fewer than the header of a data file"}));
    }
    if (::pread(file.number, text.data(), text.size(), 0) != DataHeader::bytes) {
      throw FileError(path, failed_to("read", errno));
    }
    header_ = DataHeader::decoded(text, status.st_size, path);
    if (header_.scalar != scalar || header_.sparse != sparse) {
      const char* const real = header_.scalar == 4 ? "float" : "double";
      throw FileError(path, join({"holds ", header_.sparse ? "sparse" : "dense", " data of ", real,
                                  ": read it by descent::Mapped", header_.sparse ? "Sparse" : "",
                                  "Data<", real, ">"}));
    }
    size_ = static_cast<std::size_t>(status.st_size);
    void* const begin = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file.number, 0);
    if (begin == MAP_FAILED) throw FileError(path, failed_to("mapped", errno));
    begin_ = static_cast<const char*>(begin);
  }
  ~Mapping() { ::munmap(const_cast<char*>(begin_), size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// What its header says.
  const DataHeader& header() const { return header_; }
  /// Its first byte.
  const char* begin() const { return begin_; }
  /// The numbers of a section, see `DataHeader::section`.
  template <class T>
  const T* section(int which) const {
    return reinterpret_cast<const T*>(begin_ + header_.section(which));
  }

 private:
  DataHeader header_;
  const char* begin_ = nullptr;
  std::size_t size_ = 0;
};

/// What the system is told about a part of a mapping.
class MappedSection {
 public:
  /// `count` numbers of a mapping from `begin` on, `size` bytes each.
  MappedSection(const Mapping& mapping, const void* begin, std::int64_t count, std::size_t size,
                const MapOptions& options)
      : base_(mapping.begin()),
        begin_(static_cast<const char*>(begin)),
        count_(count),
        size_(size),
        keep_(options.keep) {}

  /// Begins to read the numbers from the first to before the last, as far as there are any.
  void expect(std::int64_t first, std::int64_t last) const {
    advise(page(first), at((std::min)(last, count_)), MADV_WILLNEED);
  }
  /// Gives pages back. The one where the last number stands may hold what is read next: it goes with those that follow.
  void release(std::int64_t first, std::int64_t last) const {
    if (keep_) return;
    advise(page(first), last < count_ ? page(last) : at(count_), MADV_DONTNEED);
  }

 private:
  const char* base_;
  const char* begin_;
  std::int64_t count_;
  std::size_t size_;
  bool keep_;

  const char* at(std::int64_t k) const { return begin_ + static_cast<std::size_t>(k) * size_; }
  // The begin of its 64 KiB, which Linux maps together when one page of them is touched.
  const char* page(std::int64_t k) const {
    constexpr std::uintptr_t block = std::uintptr_t{1} << 16;
    const char* const place = at((std::min)(k, count_));
    const auto behind =
        static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(place) % block);
    return place - base_ < behind ? base_ : place - behind;
  }
  // Advice alone: what becomes of it changes no number, so errors are none.
  static void advise(const char* first, const char* last, int advice) {
    if (first < last) {
      (void)::madvise(const_cast<char*>(first), static_cast<std::size_t>(last - first), advice);
    }
  }
};

/// A dense matrix or vector in a file: an `Eigen::Map` that is told which rows are read.
template <class Plain>
class MappedDense : public Eigen::Map<const Plain> {
 public:
  /// The type of coefficients.
  using Scalar = typename Plain::Scalar;

  /// That of a section, see `DataHeader::section`.
  MappedDense(const Mapping& mapping, int section, Eigen::Index cols, const MapOptions& options)
      : Eigen::Map<const Plain>(mapping.section<Scalar>(section), mapping.header().rows, cols),
        section_(mapping, this->data(), this->rows(),
                 static_cast<std::size_t>(cols) * sizeof(Scalar), options) {}

  /// Begins to read rows, as far as they exist.
  void expect(Eigen::Index begin, Eigen::Index count) const {
    section_.expect(begin, begin + count);
  }
  /// Gives the memory of rows back; they may be read again all the same.
  void release(Eigen::Index begin, Eigen::Index count) const {
    section_.release(begin, begin + count);
  }

 private:
  MappedSection section_;
};

/// A sparse matrix in a file: an `Eigen::Map` that is told which rows are read.
template <class Real>
class MappedSparse : public Eigen::Map<const Eigen::SparseMatrix<Real, Eigen::RowMajor>> {
  using Base = Eigen::Map<const Eigen::SparseMatrix<Real, Eigen::RowMajor>>;

 public:
  /// That of all sections.
  MappedSparse(const Mapping& mapping, const MapOptions& options)
      : Base(mapping.header().rows, mapping.header().columns, mapping.header().stored,
             mapping.section<std::int32_t>(2), mapping.section<std::int32_t>(1),
             mapping.section<Real>(0)),
        values_(mapping, this->valuePtr(), mapping.header().stored, sizeof(Real), options),
        columns_(mapping, this->innerIndexPtr(), mapping.header().stored, sizeof(int), options),
        starts_(mapping, this->outerIndexPtr(), mapping.header().rows + 1, sizeof(int), options) {
    static_assert(sizeof(int) == 4, "a data file counts by numbers of 4 bytes");
  }

  /// Begins to read rows, as far as they exist.
  void expect(Eigen::Index begin, Eigen::Index count) const {
    if (begin >= this->rows()) return;
    const Eigen::Index end = (std::min)(begin + count, this->rows());
    const int first = this->outerIndexPtr()[begin], last = this->outerIndexPtr()[end];
    values_.expect(first, last);
    columns_.expect(first, last);
  }
  /// Gives the memory of rows back; they may be read again all the same.
  void release(Eigen::Index begin, Eigen::Index count) const {
    const int first = this->outerIndexPtr()[begin], last = this->outerIndexPtr()[begin + count];
    values_.release(first, last);
    columns_.release(first, last);
    starts_.release(begin, begin + count + (begin + count == this->rows() ? 1 : 0));
  }

 private:
  MappedSection values_, columns_, starts_;
};

/// X and y in a data file; X is a `MappedDense` or a `MappedSparse`. Movable, not copyable. Models refer to X and y, which stay
/// where they are when this is moved, and must not outlive it. Many threads may read. A file that is shortened by another
/// program while it is mapped ends this one (SIGBUS); one that is replaced, as `convert_csv` does, stays what it was.
template <class Matrix>
class BasicMappedData {
 public:
  /// The type of coefficients, float or double.
  using Scalar = typename Matrix::Scalar;
  /// The type of y.
  using Targets = MappedDense<Eigen::Matrix<Scalar, Eigen::Dynamic, 1>>;

  /// Throws `FileError` with the name of the file unless it is a data file with X of this type. The header is checked before
  /// anything is mapped, and of sparse data each row's columns, which is a pass over them. NaN is left to the models.
  explicit BasicMappedData(const std::string& path, const MapOptions& options = {})
      : parts_(std::make_unique<const Parts>(path, options)) {
    if constexpr (is_sparse<Matrix>) check(path);
  }

  /// X, n x d.
  const Matrix& x() const { return parts_->x; }
  /// y, n targets.
  const Targets& y() const { return parts_->y; }
  /// What the file's header says.
  const DataHeader& header() const { return parts_->mapping.header(); }

 private:
  struct Parts {
    Mapping mapping;
    Matrix x;
    Targets y;
    Parts(const std::string& path, const MapOptions& options)
        : mapping(path, sizeof(Scalar), is_sparse<Matrix>),
          x(make(mapping, options)),
          y(mapping, 3, 1, options) {}
    static Matrix make(const Mapping& mapping, const MapOptions& options) {
      if constexpr (is_sparse<Matrix>) {
        return Matrix(mapping, options);
      } else {
        return Matrix(mapping, 0, mapping.header().columns, options);
      }
    }
  };
  std::unique_ptr<const Parts> parts_;

  // Numbers that are used as places in memory.
  void check(const std::string& path) const {
    const int* const starts = x().outerIndexPtr();
    const int* const columns = x().innerIndexPtr();
    const auto d = static_cast<int>(x().cols());
    const auto stored = static_cast<int>(header().stored);
    const auto refuse = [&path](Eigen::Index i) {
      throw FileError(path, join({"has damaged data: row ", to_text(i), " of ",
                                  "X does not have ascending columns of its own"}));
    };
    if (starts[0] != 0) refuse(0);
    constexpr Eigen::Index chunk = 4096;
    for (Eigen::Index begin = 0; begin < x().rows(); begin += chunk) {
      const Eigen::Index end = (std::min)(begin + chunk, x().rows());
      for (Eigen::Index i = begin; i < end; ++i) {
        if (starts[i] > starts[i + 1] || starts[i + 1] > stored) refuse(i);
        int last = -1;
        for (int k = starts[i]; k < starts[i + 1]; ++k) {
          if (columns[k] <= last || columns[k] >= d) refuse(i);
          last = columns[k];
        }
      }
      x().release(begin, end - begin);
    }
    if (starts[x().rows()] != stored) refuse(x().rows() - 1);
  }
};

/// Dense data in a file: x() is an `Eigen::Map` of a row-major matrix.
template <std::floating_point Real = double>
using MappedData = BasicMappedData<
    MappedDense<Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>>;
/// Sparse data in a file: x() is an `Eigen::Map` of a row-major `Eigen::SparseMatrix`.
template <std::floating_point Real = double>
using MappedSparseData = BasicMappedData<MappedSparse<Real>>;

}  // namespace descent::inline v0

#endif  // DESCENT_IO_MAPPED_DATA_HPP
