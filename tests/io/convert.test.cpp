#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <descent/core/random.hpp>
#include <descent/io/convert.hpp>
#include <descent/io/mapped_data.hpp>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/temporary.hpp"

namespace {

using descent::ConvertOptions;
using descent::DataHeader;
using descent::FileError;
using Eigen::Index;
using Eigen::MatrixXd;

// n rows whose target is their number, and whose features follow from it.
std::string csv_text(int n, int d) {
  std::string text = "y";
  for (int j = 0; j < d; ++j) text += ",x" + std::to_string(j);
  text += '\n';
  for (int i = 0; i < n; ++i) {
    text += std::to_string(i);
    for (int j = 0; j < d; ++j) text += "," + std::to_string(i * 10 + j) + ".5";
    text += '\n';
  }
  return text;
}
std::string libsvm_text(int n, int d) {
  std::string text;
  for (int i = 0; i < n; ++i) {
    text += std::to_string(i);
    for (int j = 1; j <= d; ++j) {
      if ((i + j) % 3 == 0)
        text += " " + std::to_string(j) + ":" + std::to_string(i * 10 + j) + ".5";
    }
    text += '\n';
  }
  return text;
}

// The targets in the order of the file, of rows that must have stayed whole.
template <class Data>
std::vector<int> order(const Data& data, const MatrixXd& x) {
  std::vector<int> rows;
  const MatrixXd all = data.x();
  for (Index i = 0; i < all.rows(); ++i) {
    rows.push_back(static_cast<int>(data.y()[i]));
    REQUIRE(all.row(i) == x.row(rows.back()));
  }
  return rows;
}
std::vector<int> sorted(std::vector<int> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

TEMPLATE_TEST_CASE("Converted, a text is what it is when read", "", float, double) {
  using Real = TestType;
  const Temporary out("out");
  for (const auto& [n, d] : {std::pair{1, 1}, {3, 40}, {5000, 9}}) {
    const Temporary csv("in.csv", csv_text(n, d)), svm("in.svm", libsvm_text(n, d));
    const auto dense = descent::read_csv<Real>(csv.path(), {.target = "y"});
    CHECK(descent::convert_csv<Real>(csv.path(), out.path(), {.target_column = 0}) ==
          DataHeader{sizeof(Real), false, n, d, n * d});
    const descent::MappedData<Real> mapped(out.path());
    CHECK(mapped.x() == dense.x);
    CHECK(mapped.y() == dense.y);

    const auto sparse = descent::read_libsvm<Real>(svm.path(), {.columns = d});
    CHECK(descent::convert_libsvm<Real>(svm.path(), out.path(), {.columns = d}) ==
          DataHeader{sizeof(Real), true, n, d, sparse.x.nonZeros()});
    {
      const descent::MappedSparseData<Real> data(out.path());
      CHECK(MatrixXd(data.x().template cast<double>()) ==
            MatrixXd(sparse.x.template cast<double>()));
      CHECK(data.y() == sparse.y);
    }
    descent::convert_libsvm<Real>(svm.path(), out.path(), {.columns = d}, {.dense = true});
    const descent::MappedData<Real> filled(out.path());
    CHECK(filled.x() == Eigen::Matrix<Real, -1, -1>(sparse.x));
    CHECK(filled.y() == sparse.y);
  }
  CHECK(out.companions() == 0);
}

TEST_CASE("The number of columns is found where it is not given") {
  const Temporary in("in.svm", "1 2:1\n0 7:1 # last\n1\n"), out("out");
  CHECK(descent::convert_libsvm(in.path(), out.path()) == DataHeader{8, true, 3, 7, 2});
  CHECK(descent::convert_libsvm(in.path(), out.path(), {}, {.dense = true}) ==
        DataHeader{8, false, 3, 7, 21});
  CHECK(descent::convert_libsvm(in.path(), out.path(), {.zero_based = true}, {.shuffle_seed = 1}) ==
        DataHeader{8, true, 3, 8, 2});
  const auto flipped = [](double y) { return 1 - y; };
  descent::convert_libsvm(in.path(), out.path(), {.map_target = flipped});
  CHECK(descent::MappedSparseData<double>(out.path()).y() == Eigen::Vector3d(0, 1, 0));
}

TEST_CASE("Shuffled, every row is there once, in an order of the seed") {
  const int n = 2000, d = 3;
  const Temporary csv("in.csv", csv_text(n, d)), svm("in.svm", libsvm_text(n, d)), out("out");
  const auto dense = descent::read_csv(csv.path(), {.target_column = 0});
  const MatrixXd sparse = descent::read_libsvm(svm.path(), {.columns = d}).x;
  std::vector<int> in_order(n);
  for (int i = 0; i < n; ++i) in_order[std::size_t(i)] = i;

  const auto of_csv = [&](std::uint64_t seed, std::int64_t memory) {
    descent::convert_csv(csv.path(), out.path(), {.target = "y"},
                         {.shuffle_seed = seed, .memory = memory});
    return order(descent::MappedData<double>(out.path()), dense.x);
  };
  const auto of_libsvm = [&](std::uint64_t seed, std::int64_t memory, bool as_dense) {
    descent::convert_libsvm(svm.path(), out.path(), {.columns = d},
                            {.shuffle_seed = seed, .dense = as_dense, .memory = memory});
    return as_dense ? order(descent::MappedData<double>(out.path()), sparse)
                    : order(descent::MappedSparseData<double>(out.path()), sparse);
  };
  for (const std::int64_t memory : {1, 10'000, 1 << 27}) {  // 256 buckets, some, one
    CAPTURE(memory);
    const std::vector<int> rows = of_csv(1, memory);
    CHECK(rows != in_order);
    CHECK(sorted(rows) == in_order);
    CHECK(of_csv(1, memory) == rows);
    CHECK(of_csv(2, memory) != rows);
    CHECK(sorted(of_libsvm(1, memory, false)) == in_order);
    CHECK(of_libsvm(1, memory, true) == of_libsvm(1, memory, false));

    // Places and values of an order of chance: their correlation is of the size 1/sqrt(n), of neighbors, too.
    double places = 0, neighbors = 0;
    const double mean = (n - 1) / 2.0, variance = (double(n) * n - 1) / 12;
    for (int i = 0; i < n; ++i) {
      const double v = rows[std::size_t(i)] - mean;
      places += (i - mean) * v / (n * variance);
      if (i > 0) neighbors += (rows[std::size_t(i - 1)] - mean) * v / (n * variance);
    }
    CHECK(std::abs(places) < 5 / std::sqrt(n));
    CHECK(std::abs(neighbors) < 5 / std::sqrt(n));
  }
  CHECK(out.companions() == 0);
  CHECK_THROWS_AS(of_csv(1, 0), std::invalid_argument);
}

TEST_CASE("Every order of four rows is as likely as the others") {
  const Temporary out("out");
  for (const std::int64_t memory : {1, 1 << 27}) {
    std::vector<int> counts(256);
    for (std::uint64_t seed = 0; seed < 1200; ++seed) {
      descent::RowShuffle<double> shuffle(out.path(), 1, memory, seed);
      descent::DataRow<double> row;
      for (int i = 0; i < 4; ++i) {
        row.y = i;
        shuffle.add(row);
      }
      unsigned code = 0;
      shuffle.drain(
          [&code](const descent::DataRow<double>& next) { code = code * 4 + unsigned(next.y); });
      ++counts[code];
    }
    // 24 orders, each 50 times but for a deviation of 7.
    CHECK(std::count_if(counts.begin(), counts.end(), [](int count) { return count > 0; }) == 24);
    CHECK(std::count_if(counts.begin(), counts.end(),
                        [](int count) { return 15 < count && count < 85; }) == 24);
  }
}

TEST_CASE("A conversion that fails leaves what was there, and nothing else") {
  const Temporary csv("bad.csv", csv_text(3000, 3) + "1,2,x,4\n"),
      svm("bad.svm", libsvm_text(3000, 3) + "1 5:x\n");
  const Temporary out("out", "as it was");
  for (const ConvertOptions& options : {ConvertOptions{}, {.dense = true}, {.shuffle_seed = 1}}) {
    CHECK_THROWS_WITH(descent::convert_csv(csv.path(), out.path(), {}, options),
                      csv.path() + ":3002:5: 'x' is not a number");
    CHECK_THROWS_WITH(descent::convert_libsvm(svm.path(), out.path(), {}, options),
                      svm.path() + ":3001:5: 'x' is not a number");
    CHECK(out.text() == "as it was");
    CHECK(out.companions() == 0);
  }
  const Temporary none("none");
  CHECK_THROWS_AS(descent::convert_csv(csv.path(), none.path()), FileError);
  CHECK_FALSE(none.exists());
  const Temporary good("good.csv", csv_text(3, 3));
  CHECK_THROWS_WITH(descent::convert_csv(good.path(), "/no/such/folder/out"),
                    StartsWith("/no/such/folder/out.") &&
                        EndsWith("cannot be created: No such file or directory"));
  CHECK_THROWS_AS(descent::convert_csv("/no/such/file", none.path()), FileError);
  CHECK_FALSE(none.exists());
  // No room on the disk: here, no more than 16 KiB for a file.
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit little{16384, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const Temporary large("large.csv", csv_text(20'000, 3));
  for (const ConvertOptions& options : {ConvertOptions{}, {.shuffle_seed = 1}}) {
    REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
    std::string what;
    try {
      descent::convert_csv(large.path(), none.path(), {}, options);
    } catch (const FileError& error) {
      what = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    CHECK_THAT(what,
               StartsWith(none.path() + ".") && EndsWith("cannot be written: File too large"));
    CHECK_FALSE(none.exists());
    CHECK(none.companions() == 0);
  }
  std::signal(SIGXFSZ, handler);
}

TEST_CASE("A conversion takes little memory") {
#ifndef __linux__
  WARN("not run: there is no /proc/self/status");
#else
  if (DESCENT_TESTS_SANITIZED) {
    WARN("not run: a sanitizer's own memory is counted, too");
    return;
  }
  const Temporary csv("in.csv", csv_text(150'000, 6)), svm("in.svm", libsvm_text(150'000, 18)),
      out("out");
  REQUIRE(csv.text().size() > 8'000'000);  // bytes, and of the data file
  REQUIRE(svm.text().size() > 8'000'000);
  for (const ConvertOptions& options : {ConvertOptions{}, {.shuffle_seed = 1, .memory = 1 << 20}}) {
    const double of_csv =
        peak_of([&] { descent::convert_csv(csv.path(), out.path(), {}, options); });
    const double of_svm =
        peak_of([&] { descent::convert_libsvm(svm.path(), out.path(), {}, options); });
    CAPTURE(of_csv, of_svm);
    CHECK((0 < of_csv && of_csv < 2048));
    CHECK((0 < of_svm && of_svm < 2048));
  }
  CHECK(peak_of([&] { (void)descent::read_csv(csv.path()); }) > 7000);  // so it would be seen
#endif
}
