// covers: mapped_data
// Every way to damage a data file; the models over good ones are in mapped_models.test.cpp.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <descent/core/random.hpp>
#include <descent/io/data_file.hpp>
#include <descent/io/mapped_data.hpp>

#include "support/catch.hpp"
#include "support/temporary.hpp"

namespace {

using descent::DataHeader;
using descent::FileError;
using descent::MappedData;
using descent::MappedSparseData;
using Eigen::Index;

template <class Real>
using Dense = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class Real>
using Sparse = Eigen::SparseMatrix<Real, Eigen::RowMajor>;
template <class Real>
using Column = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

template <class Real>
Sparse<Real> sparse_matrix(Index n, Index d) {
  Sparse<Real> x(n, d);
  descent::Random random(3);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < d; ++j) {
      if (random.below(3) == 0) x.insert(i, j) = static_cast<Real>(random.uniform());
    }
  }
  x.makeCompressed();
  return x;
}

// What is said when it is opened, and whether what can be opened can be read to its last coefficient.
template <class Data>
std::string complaint(const std::string& path) {
  try {
    const Data data(path);
    auto sum = static_cast<double>(data.y().sum());
    for (Index i = 0; i < data.x().rows(); ++i) {
      descent::LinearRows<std::remove_cvref_t<decltype(data.x())>>::each(
          data.x(), i, [&](Index j, auto value) {
            if (j < 0 || j >= data.x().cols()) throw std::logic_error("a column that is none");
            sum += static_cast<double>(value);
          });
    }
    return sum == 0.5 ? "nothing (a half)" : "nothing";
  } catch (const FileError& error) {
    const std::string what = error.what();
    REQUIRE(what.starts_with(path + ": "));
    CHECK(error.file() == path);
    return what.substr(path.size() + 2);
  }
}

// FNV-1a by its definition.
std::string with_checksum(std::string text) {
  std::uint64_t hash = 14695981039346656037u;
  for (std::size_t i = 0; i < 56; ++i) {
    hash ^= static_cast<unsigned char>(text[i]);
    hash *= 1099511628211u;
  }
  std::memcpy(text.data() + 56, &hash, 8);
  return text;
}
template <class T>
std::string with(std::string text, std::size_t at, T value) {
  std::memcpy(text.data() + at, &value, sizeof value);
  return with_checksum(text);
}

}  // namespace

TEST_CASE("A data file is laid out as documented") {
  const Temporary file("layout");
  const Dense<float> x{{1, 2, 3}, {4, 5, 6}};
  const Eigen::Vector2f y(7, 8);
  CHECK(descent::write_data(file.path(), x, y) == DataHeader{4, false, 2, 3, 6});
  std::string text = file.text();
  REQUIRE(text.size() == 64 + 64 + 8);
  CHECK(text.substr(0, 8) ==
        "\x89"
        "DSCN\r\n\x1a");
  const auto number = [&text](std::size_t at, auto value) {
    std::memcpy(&value, text.data() + at, sizeof value);
    return value;
  };
  CHECK(number(8, std::uint32_t{}) == 0x01020304);
  CHECK(number(12, std::uint32_t{}) == 1);
  CHECK(number(16, std::uint32_t{}) == 4);
  CHECK(number(20, std::uint32_t{}) == 0);
  CHECK(number(24, std::int64_t{}) == 2);
  CHECK(number(32, std::int64_t{}) == 3);
  CHECK(number(40, std::int64_t{}) == 6);
  CHECK(number(48, std::int64_t{}) == 136);
  CHECK(with_checksum(text) == text);
  for (std::size_t k = 0; k < 6; ++k) CHECK(number(64 + 4 * k, 0.0f) == float(k + 1));
  CHECK(text.substr(64 + 24, 40) == std::string(40, '\0'));
  CHECK(number(128, 0.0f) == 7);
  CHECK(number(132, 0.0f) == 8);

  Sparse<double> s(3, 1000);
  s.insert(0, 999) = 0.5;
  s.insert(2, 0) = 1;
  s.insert(2, 17) = 2;
  CHECK(descent::write_data(file.path(), s, Eigen::Vector3d(3, 4, 5)) ==
        DataHeader{8, true, 3, 1000, 3});
  text = file.text();
  REQUIRE(text.size() == 64 + 64 + 64 + 64 + 24);
  CHECK(number(20, std::uint32_t{}) == 1);
  CHECK(number(72, 0.0) == 1);
  CHECK(number(128, std::array<int, 3>{}) == std::array<int, 3>{999, 0, 17});
  CHECK(number(192, std::array<int, 4>{}) == std::array<int, 4>{0, 1, 1, 3});
  CHECK(number(256 + 16, 0.0) == 5);
  CHECK(file.companions() == 0);
}

TEMPLATE_TEST_CASE("What was written is read", "", float, double) {
  const Temporary file("round");
  for (const auto& [n, d] :
       {std::pair<Index, Index>{1, 1}, {1, 40}, {33, 1}, {100, 7}, {9000, 3}}) {
    const Dense<TestType> x = Dense<TestType>::Random(n, d);
    const Column<TestType> y = Column<TestType>::Random(n);
    descent::write_data(file.path(), x, y);
    MappedData<TestType> data(file.path());
    CHECK(data.x() == x);
    CHECK(data.y() == y);
    CHECK(reinterpret_cast<std::uintptr_t>(data.x().data()) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(data.y().data()) % 64 == 0);
    // Moved, X and y stay where they were.
    const auto* const at = &data.x();
    const MappedData<TestType> moved = std::move(data);
    CHECK(&moved.x() == at);
    CHECK(moved.x() == x);
    descent::write_data(file.path(), Eigen::Matrix<TestType, -1, -1>(x), y);  // column-major
    CHECK(moved.x() == x);  // replaced, not overwritten
    CHECK(MappedData<TestType>(file.path()).x() == x);

    const Sparse<TestType> s = sparse_matrix<TestType>(n, d);
    descent::write_data(file.path(), s, y);
    const MappedSparseData<TestType> sparse(file.path());
    CHECK(Dense<TestType>(sparse.x()) == Dense<TestType>(s));
    CHECK(sparse.x().nonZeros() == s.nonZeros());
    CHECK(sparse.y() == y);
  }
  STATIC_REQUIRE(!std::is_copy_constructible_v<MappedData<TestType>>);
  STATIC_REQUIRE(std::is_nothrow_move_constructible_v<MappedSparseData<TestType>>);
}

TEST_CASE("Pages given back are read again") {
  const Temporary file("pages");
  const Dense<double> x = Dense<double>::Random(20'000, 5);
  const Column<double> y = Column<double>::Random(20'000);
  for (const bool keep : {false, true}) {
    descent::write_data(file.path(), x, y);
    const MappedData<double> dense(file.path(), {.keep = keep});
    descent::write_data(file.path(), Sparse<double>(x.sparseView()), y);
    const MappedSparseData<double> sparse(file.path(), {.keep = keep});
    for (const Index begin : {0, 1, 4096, 10'000, 19'999}) {
      for (const Index count : {0, 1, 4096, 20'000}) {
        const Index some = (std::min)(count, 20'000 - begin);
        dense.x().expect(begin, count);
        sparse.x().expect(begin, count);
        sparse.y().expect(begin + 20'000, count);
        dense.x().release(begin, some);
        dense.y().release(begin, some);
        sparse.x().release(begin, some);
      }
    }
    CHECK(dense.x() == x);
    CHECK(dense.y() == y);
    CHECK(Dense<double>(sparse.x()) == x);
  }
}

TEST_CASE("Every damage of a header shows") {
  const Temporary file("damage");
  const auto every = [&file](const std::string& good, const auto& open) {
    for (std::size_t bit = 0; bit < 512; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      file.write(bad);
      CAPTURE(bit);
      CHECK(open(file.path()) ==
            (bit < 64 ? "is no data file of descent, which begin with another 8 bytes "
                        "(convert_csv and convert_libsvm make them)"
                      : "has a damaged header: its checksum does not fit"));
    }
    for (std::size_t size = 0; size < good.size(); ++size) {
      file.write(good.substr(0, size));
      const std::string bytes = "has " + std::to_string(size) + " bytes, ";
      CHECK(open(file.path()) ==
            bytes + (size < 64
                         ? "fewer than the header of a data file"
                         : "its header says " + std::to_string(good.size()) + ": it is cut off"));
    }
    file.write(good + '\0');
    CHECK_THAT(open(file.path()), EndsWith("it is too long"));
    // A header that was made so.
    const auto made = [&](std::size_t at, auto value) {
      file.write(with(good, at, value));
      return open(file.path());
    };
    CHECK(made(8, std::uint32_t{0x04030201}) ==
          "was written on a machine with the other order of bytes");
    CHECK(made(12, std::uint32_t{2}) == "has version 2 of the format, and 1 is known");
    for (const std::int64_t number : {std::int64_t{0}, std::int64_t{-1}, INT64_MAX, INT64_MIN,
                                      std::int64_t{1} << 56, std::int64_t{1} << 60}) {
      for (const std::size_t at : {24u, 32u, 40u}) {
        CAPTURE(number, at);
        const std::string what = made(at, number);
        CHECK((what.starts_with("has an impossible header: ") || what.ends_with("it is cut off") ||
               (number == 0 && what.ends_with("too long"))));
      }
      CHECK_THAT(made(48, number), ContainsSubstring(" bytes, its header says "));
    }
    for (const std::uint32_t number : {0u, 1u, 2u, 7u, 9u, 0xffffffffu}) {
      if (number != 1) CHECK_THAT(made(16, number), StartsWith("has an impossible header: "));
      if (number > 1) CHECK_THAT(made(20, number), StartsWith("has an impossible header: "));
    }
    file.write(good);
    CHECK(open(file.path()) == "nothing");
  };
  descent::write_data(file.path(), Dense<double>::Random(3, 2), Eigen::Vector3d(1, 2, 3));
  every(file.text(), complaint<MappedData<double>>);
  CHECK(complaint<MappedData<float>>(file.path()) ==
        "holds dense data of double: read it by descent::MappedData<double>");
  descent::write_data(file.path(), sparse_matrix<float>(5, 4), Column<float>::Ones(5));
  every(file.text(), complaint<MappedSparseData<float>>);
  CHECK(complaint<MappedData<float>>(file.path()) ==
        "holds sparse data of float: read it by descent::MappedSparseData<float>");

  // 2⁸ rows of 2⁵⁶ coefficients: their product is 0 for who counts modulo 2⁶⁴, and all else would fit.
  std::string wrapped(64 + 256 * 8, '\0');
  descent::write_data(file.path(), Dense<double>::Ones(1, 1), Column<double>::Ones(1));
  wrapped.replace(0, 64, file.text().substr(0, 64));
  wrapped = with(wrapped, 24, std::int64_t{1} << 8);
  wrapped = with(wrapped, 32, std::int64_t{1} << 56);
  wrapped = with(wrapped, 40, std::int64_t{0});
  file.write(with(wrapped, 48, std::int64_t(wrapped.size())));
  CHECK_THAT(complaint<MappedData<double>>(file.path()),
             StartsWith("has an impossible header: 256 x "));

  CHECK(complaint<MappedData<double>>("/no/such/file") ==
        "cannot be opened: No such file or directory");
  CHECK(complaint<MappedData<double>>("/") == "is no file");
  CHECK(complaint<MappedData<double>>("/dev/null") == "is no file");
  CHECK_THROWS_AS(descent::write_data("/no/such/folder/file", Dense<double>::Ones(1, 1),
                                      Column<double>::Ones(1)),
                  FileError);
  CHECK_THROWS_AS(descent::write_data(file.path(), Dense<double>(0, 3), Column<double>(0)),
                  std::invalid_argument);
  CHECK_THROWS_AS(
      descent::write_data(file.path(), Dense<double>::Ones(2, 1), Column<double>::Ones(1)),
      std::invalid_argument);
}

TEST_CASE("Sparse data that points elsewhere is refused") {
  const Temporary file("elsewhere");
  descent::write_data(file.path(), sparse_matrix<double>(6, 5), Column<double>::Ones(6));
  const std::string good = file.text();
  const auto header = MappedSparseData<double>(file.path()).header();
  int refused = 0;
  for (auto at = std::size_t(header.section(1)); at < std::size_t(header.section(3)); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      file.write(bad);
      const std::string what = complaint<MappedSparseData<double>>(file.path());
      if (what != "nothing") {
        ++refused;
        CHECK_THAT(what, StartsWith("has damaged data: row "));
      }
    }
  }
  CHECK(refused > 31 * (header.stored + header.rows));
  const auto moved = [&](int which, std::int64_t k, int value) {
    std::string bad = good;
    std::memcpy(bad.data() + header.section(which) + 4 * k, &value, 4);
    file.write(bad);
    return complaint<MappedSparseData<double>>(file.path());
  };
  const auto damaged = StartsWith("has damaged data: row ");
  CHECK_THAT(moved(2, 0, 1), damaged);
  CHECK_THAT(moved(2, 0, -1), damaged);
  CHECK_THAT(moved(2, 6, static_cast<int>(header.stored) - 1), damaged);
  CHECK_THAT(moved(2, 6, static_cast<int>(header.stored) + 1), damaged);
  CHECK_THAT(moved(2, 3, INT32_MAX), damaged);
  CHECK_THAT(moved(1, 0, 5), damaged);
  CHECK_THAT(moved(1, 0, -1), damaged);
}

TEST_CASE("Files of chance are refused or read") {
  const Temporary file("chance");
  descent::Random random(11);
  descent::write_data(file.path(), sparse_matrix<double>(4, 3), Column<double>::Ones(4));
  const std::string sparse = file.text();
  int opened = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    std::string text = sparse;
    if (trial % 4 == 0) {  // nothing but chance
      text.resize(random.below(400));
      for (char& c : text) c = static_cast<char>(random());
    } else {  // a header that is right in itself, with small numbers, and data of chance
      for (std::size_t at = 64; at < text.size(); ++at) {
        if (trial % 4 == 1 || random.below(200) == 0) text[at] = static_cast<char>(random.below(6));
      }
      text = with(text, 16, std::uint32_t(random.below(2) * 4 + 4));
      text = with(text, 20, std::uint32_t(random.below(2)));
      for (const std::size_t at : {24u, 32u, 40u}) {
        if (random.below(9) == 0) text = with(text, at, std::int64_t(random.below(14)));
      }
      text = with(text, 48, std::int64_t(text.size()));
    }
    file.write(text);
    opened += complaint<MappedData<double>>(file.path()).starts_with("nothing") ? 1 : 0;
    opened += complaint<MappedSparseData<float>>(file.path()).starts_with("nothing") ? 1 : 0;
    opened += complaint<MappedSparseData<double>>(file.path()).starts_with("nothing") ? 1 : 0;
  }
  CHECK(opened > 50);
}
