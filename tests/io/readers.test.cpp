// covers: file_error text_lines csv libsvm
#include <clocale>
#include <cstdint>
#include <iomanip>  // whose std::quoted must not be meant
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <descent/core/random.hpp>
#include <descent/io/csv.hpp>
#include <descent/io/libsvm.hpp>

#include "support/catch.hpp"
#include "support/temporary.hpp"

namespace {

using descent::CsvHeader;
using descent::CsvOptions;
using descent::FileError;
using descent::LibsvmOptions;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// What is said of a text, behind the name of its file; the members of the error must agree.
template <class Read>
std::string complaint(const std::string& text, const Read& read) {
  const Temporary file("complaint", text);
  try {
    read(file.path());
  } catch (const FileError& error) {
    const std::string what = error.what();
    REQUIRE(what.starts_with(file.path() + ":"));
    CHECK(error.file() == file.path());
    const std::string place =
        ":" + std::to_string(error.line()) + ":" + std::to_string(error.column()) + ": ";
    CHECK(what.substr(file.path().size()).starts_with(place) == (error.line() > 0));
    CHECK((error.column() > 0) == (error.line() > 0));
    return what.substr(file.path().size() + 1);
  }
  return "nothing";
}
std::string csv_complaint(const std::string& text, const CsvOptions& options = {}) {
  return complaint(text, [&](const std::string& path) { descent::read_csv(path, options); });
}
std::string libsvm_complaint(const std::string& text, const LibsvmOptions& options = {}) {
  return complaint(text, [&](const std::string& path) { descent::read_libsvm(path, options); });
}

template <class Real = double>
descent::DenseSamples<Real> csv(const std::string& text, const CsvOptions& options = {}) {
  return descent::read_csv<Real>(Temporary("good.csv", text).path(), options);
}
template <class Real = double>
descent::SparseSamples<Real> libsvm(const std::string& text, const LibsvmOptions& options = {}) {
  return descent::read_libsvm<Real>(Temporary("good.svm", text).path(), options);
}

MatrixXd matrix(std::initializer_list<std::initializer_list<double>> rows) {
  return MatrixXd(rows);
}

}  // namespace

TEST_CASE("CSV: numbers, targets, names") {
  const MatrixXd x = matrix({{1, 2}, {4, 5}});
  const Eigen::Vector2d y(3, 6);
  SECTION("plain") {
    const auto data = csv("1,2,3\n4,5,6\n");
    CHECK(data.x == x);
    CHECK(data.y == y);
    CHECK(data.names.empty());
  }
  SECTION("every way to write the same") {
    for (const std::string text :
         {"1,2,3\n4,5,6", "1,2,3\r\n4,5,6\r\n", "1,2,3\r\n4,5,6",
          "\xef\xbb\xbf"
          "1,2,3\n4,5,6\n",
          "\n1,2,3\n\n \t\n4,5,6\n\n", " 1 ,\t2,3 \n4 , 5 , 6\n",
          "\"1\",2,\"3\"\n4,\" 5 \", \"6\" \n", "+1,2.0,.3e1\n4e0,0.05e2,6.\n",
          "1,2,3\n4,5.0000000000000000000000000000000000000,6\n"}) {
      CAPTURE(text);
      const auto data = csv(text);
      CHECK(data.x == x);
      CHECK(data.y == y);
    }
  }
  SECTION("a header") {
    const std::string names =
                          "\xef\xbb\xbf"
                          "first,\"second, \"\"quoted\"\"\",y\r\n",
                      rows = "1,2,3\n4,5,6\n";
    for (const CsvHeader header : {CsvHeader::automatic, CsvHeader::present}) {
      const auto data = csv(names + rows, {.header = header});
      CHECK(data.x == x);
      CHECK(data.names == std::vector<std::string>{"first", "second, \"quoted\""});
    }
    CHECK(csv("7,8,9\n" + rows, {.header = CsvHeader::present}).x == x);
    CHECK(csv("7,8,9\n" + rows, {.header = CsvHeader::present}).names ==
          std::vector<std::string>{"7", "8"});
    CHECK(csv("7,8,9\n" + rows).x.rows() == 3);
  }
  SECTION("the target is any column") {
    CHECK(csv("3,1,2\n6,4,5\n", {.target_column = 0}).x == x);
    CHECK(csv("1,3,2\n4,6,5\n", {.target_column = 1}).y == y);
    CHECK(csv("1,3,2\n4,6,5\n", {.target_column = -2}).x == x);
    const auto named = csv("a,t,b\n1,3,2\n4,6,5\n", {.target = "t"});
    CHECK(named.x == x);
    CHECK(named.y == y);
    CHECK(named.names == std::vector<std::string>{"a", "b"});
    CHECK(csv("1,2,3\n4,5,6\n", {.map_target = [](double t) { return t > 4 ? 1 : 0; }}).y ==
          Eigen::Vector2d(0, 1));
  }
  SECTION("other delimiters") {
    CHECK(csv("1;2;3\n4;5;6", {.delimiter = ';'}).x == x);
    CHECK(csv("1\t2\t3\n4\t 5\t6", {.delimiter = '\t'}).x == x);
    CHECK(csv("  1   2 \t3  \n4 \"5\" 6", {.delimiter = ' '}).x == x);
    CHECK(csv("  1   2 \t3  \n4 \"5\" 6", {.delimiter = ' '}).y == y);
  }
  SECTION("rounded once, whatever the locale") {
    for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8"}) std::setlocale(LC_ALL, name);
    CHECK(csv("0.1,1e-310,1.7976931348623157e308").x == matrix({{0.1, 1e-310}}));
    CHECK(csv<float>("0.1,16777217.000000001,0").x ==
          Eigen::Matrix<float, 1, 2>(0.1f, 16777218.0f));
    CHECK(csv<float>("1e-60,-1e-42,0").x == Eigen::Matrix<float, 1, 2>(0.0f, -1e-42f));
    std::setlocale(LC_ALL, "C");
  }
  SECTION("NaN and infinities where they are allowed") {
    const auto data = csv("nan,-inf,Infinity\n", {.allow_non_finite = true});
    CHECK(data.x(0, 0) != data.x(0, 0));
    CHECK(data.x(0, 1) == -std::numeric_limits<double>::infinity());
    CHECK(data.y[0] == std::numeric_limits<double>::infinity());
  }
  SECTION("lines longer than a block") {
    std::string text;
    const int d = 100'000;
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j <= d; ++j) text += std::to_string(i * 1'000'000 + j) + (j < d ? "," : "\n");
    }
    const auto data = csv(text);
    REQUIRE(data.x.cols() == d);
    CHECK(data.x(2, d - 1) == 2'000'000 + d - 1);
    CHECK(data.y == Eigen::Vector3d(d, 1'000'000 + d, 2'000'000 + d));
    CHECK(csv_complaint(text + "1,2\n") == "4:4: 2 fields where the first line has 100001");
  }
}

TEST_CASE("CSV: what is wrong, and where") {
  CHECK(csv_complaint("1,2,3\n4,abc,6\n") == "2:3: 'abc' is not a number");
  CHECK(csv_complaint("a,b,y\n1,2,3\r\n4,5,6x\r\n") == "3:5: '6x' is not a number");
  CHECK(csv_complaint("\xef\xbb\xbf"
                      "1,x,3\n") == "1:3: 'x' is not a number");
  CHECK(csv_complaint("1,2,3\n\xef\xbb\xbf"
                      "4,5,6\n") ==
        "2:1: '\xef\xbb\xbf"
        "4' is not a number");
  CHECK(csv_complaint("1,2,3\n\n4, \"1,5\",6\n") == "3:5: '1,5' is not a number");
  CHECK(csv_complaint("1,2,3\n4,0x1p3,6\n") == "2:3: '0x1p3' is not a number");
  CHECK(csv_complaint("1,2,3\n4,+-5,6\n") == "2:3: '+-5' is not a number");
  CHECK(csv_complaint("1,2,3\n4,1 2,6\n") == "2:3: '1 2' is not a number");
  CHECK(csv_complaint("1,2,3\n4,\x01\x7f,6\n") == "2:3: '?\?' is not a number");
  CHECK(csv_complaint("1,2,3\n4," + std::string(99, 'z') + ",6\n") ==
        "2:3: '" + std::string(40, 'z') + "...' is not a number");
  CHECK(csv_complaint("1,2,3\n4,,6\n") == "2:3: a number is missing");
  CHECK(csv_complaint("1,2,3\n4,5,\n") == "2:5: a number is missing");
  CHECK(csv_complaint("1,2,3\n4, \"\" ,6\n") == "2:5: a number is missing");
  CHECK(csv_complaint("1,2,3\n4,5\n") == "2:4: 2 fields where the first line has 3");
  CHECK(csv_complaint("1,2,3\n4,5,6,7\n") == "2:7: 4 fields where the first line has 3");
  CHECK(csv_complaint("1,2,3\n4,\"5,6\n") == "2:3: a quote that is not closed");
  CHECK(csv_complaint("1,2,3\n4,\"5\"6,7\n") == "2:6: text behind a closing quote");
  CHECK(csv_complaint("1,2,3\n4,nan,6\n") == "2:3: 'nan' is not finite");
  CHECK(csv_complaint("1,2,3\n4,5,-inf\n") == "2:5: '-inf' is not finite");
  CHECK(csv_complaint("1,2,3\n4,5,1e999\n") == "2:5: '1e999' is out of the range of double");
  CHECK(csv_complaint("1,2,3\n4,5,1e999\n", {.allow_non_finite = true}) ==
        "2:5: '1e999' is out of the range of double");
  CHECK(complaint("1,2,3\n4,5,1e39\n", [](const std::string& path) {
          descent::read_csv<float>(path);
        }) == "2:5: '1e39' is out of the range of float");
  CHECK(csv_complaint("1\n2\n") == "1:1: one column: features and a target need two");
  CHECK(csv_complaint("1,2\n", {.target = "t"}) == "1:1: no header, so no column 't'");
  CHECK(csv_complaint("a,b\n1,2\n", {.target = "t"}) == "1:1: no column 't'");
  CHECK(csv_complaint("a,2\n1,2\n") == "1:1: 'a' is not a number");
  CHECK(csv_complaint("a,b\n1,2\n", {.header = CsvHeader::absent}) == "1:1: 'a' is not a number");
  for (const char* text : {"", "\n\n", "\xef\xbb\xbf", "a,b\n"}) {
    CHECK(csv_complaint(text) == " has no rows");
  }
  CHECK_THROWS_WITH(descent::read_csv("/no/such/file"),
                    "/no/such/file: cannot be opened: No such file or directory");
  CHECK_THROWS_WITH(descent::read_csv("/"), "/: cannot be read: Is a directory");

  const Temporary good("good.csv", "1,2,3\n");
  CHECK_THROWS_WITH(descent::read_csv(good.path(), {.target_column = 3}),
                    "CsvOptions: target_column must be in [-3, 2] for " + good.path() + ", got 3");
  CHECK_THROWS_AS(descent::read_csv(good.path(), {.target_column = -4}), std::invalid_argument);
  for (const char delimiter : {'"', '\n', '\r', '.', '+', '-', '0', '9', '\0'}) {
    CHECK_THROWS_AS(descent::read_csv(good.path(), {.delimiter = delimiter}),
                    std::invalid_argument);
  }
}

TEST_CASE("libsvm: rows, targets, comments") {
  const MatrixXd x = matrix({{0.5, 0, -2}, {0, 0, 0}, {0, 3, 0}});
  const Eigen::Vector3d y(1, -1, 2.5);
  for (const std::string text :
       {"+1 1:0.5 3:-2\n-1\n2.5 2:3\n", "+1 1:0.5 3:-2 # one\r\n\r\n# none\n -1 \t\n2.5\t2:+3  ",
        "\xef\xbb\xbf"
        "1 1:.5 3:-2e0\n-1#\n2.5 2:3"}) {
    CAPTURE(text);
    const auto data = libsvm(text);
    CHECK(MatrixXd(data.x) == x);
    CHECK(data.y == y);
    CHECK(data.x.isCompressed());
    CHECK(data.x.nonZeros() == 3);
  }
  CHECK(libsvm("1 1:2", {.columns = 5}).x.cols() == 5);
  CHECK(libsvm("1", {.columns = 5}).x.nonZeros() == 0);
  CHECK(MatrixXd(libsvm("1 0:2 1:3", {.zero_based = true}).x) == matrix({{2, 3}}));
  CHECK(libsvm("-1 1:2\n1 1:2", {.map_target = [](double t) { return (t + 1) / 2; }}).y ==
        Eigen::Vector2d(0, 1));
  const auto wide = libsvm("1 2147483647:1");
  CHECK(wide.x.cols() == 2147483647);
  CHECK(wide.x.data().allocatedSize() == 1);
  CHECK(libsvm<float>("1 1:0.1").x.coeff(0, 0) == 0.1f);
}

TEST_CASE("libsvm: what is wrong, and where") {
  CHECK(libsvm_complaint("1 1:2\nx 1:2\n") == "2:1: 'x' is not a number");
  CHECK(libsvm_complaint("1 1:2\n1:2 3:4\n") == "2:1: the target is missing");
  CHECK(libsvm_complaint("1,2 1:2\n") == "1:1: '1,2' is not a number");
  CHECK(libsvm_complaint("1 1:2 17\n") == "1:7: '17' is not index:value");
  CHECK(libsvm_complaint("1 1:2 a:3\n") == "1:7: 'a' is not an index");
  CHECK(libsvm_complaint("1 1:2 :3\n") == "1:7: '' is not an index");
  CHECK(libsvm_complaint("1 1:2 1.5:3\n") == "1:7: '1.5' is not an index");
  CHECK(libsvm_complaint("1 1:2 2:\n") == "1:9: a number is missing");
  CHECK(libsvm_complaint("1 1:2 2:x\n") == "1:9: 'x' is not a number");
  CHECK(libsvm_complaint("1 1:2 2:nan\n") == "1:9: 'nan' is not finite");
  CHECK(libsvm_complaint("1 0:2\n") ==
        "1:3: index 0: indices count from 1, unless zero_based is set");
  CHECK(libsvm_complaint("1 -3:2\n") == "1:3: index -3 is negative");
  CHECK(libsvm_complaint("1 -1:2\n", {.zero_based = true}) == "1:3: index -1 is negative");
  CHECK(libsvm_complaint("1 2:2 1:3\n") == "1:7: index 1 is not above the one before");
  CHECK(libsvm_complaint("1 2:2 2:3\n") == "1:7: index 2 occurs twice");
  CHECK(libsvm_complaint("1 qid:3 1:2\n") == "1:3: 'qid': queries to be ranked are not supported");
  CHECK(libsvm_complaint("1 2:2\n1 4:1", {.columns = 3}) == "2:3: index 4 of 3 columns");
  CHECK(libsvm_complaint("1 3:2\n", {.columns = 3, .zero_based = true}) ==
        "1:3: index 3 of 3 columns");
  CHECK(libsvm_complaint("1 2147483648:2\n") ==
        "1:3: index 2147483648 of 2147483647 columns at most");
  CHECK(libsvm_complaint("1 99999999999999999999:2\n") ==
        "1:3: index 99999999999999999999 of 2147483647 columns at most");
  CHECK(libsvm_complaint("") == " has no rows");
  CHECK(libsvm_complaint("# 1 2:3\n") == " has no rows");
  CHECK(libsvm_complaint("1\n-1\n") == " has no features");
  const Temporary good("good.svm", "1 1:2\n");
  CHECK_THROWS_AS(descent::read_libsvm(good.path(), {.columns = -1}), std::invalid_argument);
  CHECK_THROWS_AS(descent::read_libsvm(good.path(), {.columns = std::int64_t{1} << 31}),
                  std::invalid_argument);
}

TEST_CASE("Texts of chance are read or refused") {
  descent::Random random(7);
  const std::string_view words =
      "0123456789.,;:\"#+-eE \t\r\n\0\xff"
      "naif";
  int read = 0;
  for (int trial = 0; trial < 600; ++trial) {
    std::string text(random.below(60), ' ');
    const bool sensible = trial % 2 == 0;
    for (char& c : text) {
      c = sensible ? "01,: \n"[random.below(6)] : words[random.below(words.size())];
    }
    const Temporary file("random", text);
    const auto attempt = [&](const auto& read_it) {
      try {
        read_it();
        ++read;
      } catch (const FileError&) {
      }
    };
    const CsvOptions options{.delimiter = trial % 3 == 0 ? ' ' : ','};
    attempt([&] { descent::read_csv(file.path(), options); });
    attempt([&] { descent::read_libsvm<float>(file.path(), {.columns = 100}); });
  }
  CHECK(read > 10);
}
