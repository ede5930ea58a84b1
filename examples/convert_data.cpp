// From text to a file that need not fit into memory, and a fit over it.
//
//     convert_data clicks.csv clicks.descent --target clicked --shuffle 1
//     convert_data news20.svm news20.descent --positive-is-one
//
// The format is told by the name (.csv, .tsv, anything else is libsvm's) or by --format. Without arguments it converts the
// diabetes data and fits a ridge regression over the file. The command line is read by CLI11; the example is built only where
// it is found.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <Eigen/Core>

#include <descent/descent.hpp>
#include <descent/io/convert.hpp>
#include <descent/io/mapped_data.hpp>

namespace {

struct Settings {
  std::string in, out, format = "auto", header = "auto", delimiter;
  descent::CsvOptions csv;
  descent::LibsvmOptions libsvm;
  descent::ConvertOptions convert;
  std::uint64_t seed = 0;
  bool as_float = false, positive_is_one = false;
};

template <class Real>
descent::DataHeader convert(const Settings& s) {
  const bool csv = s.format == "csv" ||
                   (s.format == "auto" && (s.in.ends_with(".csv") || s.in.ends_with(".tsv")));
  return csv ? descent::convert_csv<Real>(s.in, s.out, s.csv, s.convert)
             : descent::convert_libsvm<Real>(s.in, s.out, s.libsvm, s.convert);
}

void run(Settings& s) {
  using descent::CsvHeader;
  s.csv.header = s.header == "yes"  ? CsvHeader::present
                 : s.header == "no" ? CsvHeader::absent
                                    : CsvHeader::automatic;
  if (s.delimiter == "tab" || (s.delimiter.empty() && s.in.ends_with(".tsv"))) {
    s.csv.delimiter = '\t';
  } else if (s.delimiter == "blank") {
    s.csv.delimiter = ' ';
  } else if (!s.delimiter.empty()) {
    s.csv.delimiter = s.delimiter[0];
  }
  if (s.positive_is_one) {
    s.csv.map_target = s.libsvm.map_target = [](double y) { return y > 0 ? 1 : 0; };
  }
  const descent::DataHeader header = s.as_float ? convert<float>(s) : convert<double>(s);
  std::printf("%s: %lld rows, %lld columns, %lld coefficients of %s, %lld bytes\n", s.out.c_str(),
              static_cast<long long>(header.rows), static_cast<long long>(header.columns),
              static_cast<long long>(header.stored), s.as_float ? "float" : "double",
              static_cast<long long>(header.section(4)));
}

// The model refers to the file; a pass over it holds a few thousand rows at a time.
void fit(const std::string& path) {
  const descent::MappedData<double> data(path);
  const auto objective =
      descent::l2(descent::LinearRegression(data.x(), data.y(), {.intercept = true}), 1e-4);
  const Eigen::VectorXd start = Eigen::VectorXd::Zero(objective.parameters());
  const auto result = descent::minimize(objective, start, descent::LBFGS());
  std::printf("%s\nintercept %.6g\n", result.message().c_str(), result.x[data.x().cols()]);
}

}  // namespace

int main(int argc, char** argv) {
  Settings s;
  CLI::App app(
      "Makes a data file of CSV or libsvm text, in memory that does not depend on its size");
  app.add_option("in", s.in, "Text to be read")->check(CLI::ExistingFile);
  app.add_option("out", s.out, "File to be made");
  app.add_option("--format", s.format, "auto, csv or libsvm")
      ->check(CLI::IsMember({"auto", "csv", "libsvm"}));
  app.add_option("--target", s.csv.target, "CSV: name of the column to predict");
  app.add_option("--target-column", s.csv.target_column,
                 "CSV: its number from 0, -1 is the last (the default)");
  app.add_option("--header", s.header, "CSV: whether there is a line of names, auto, yes or no")
      ->check(CLI::IsMember({"auto", "yes", "no"}));
  app.add_option("--delimiter", s.delimiter, "CSV: a character, tab or blank");
  app.add_option("--columns", s.libsvm.columns, "libsvm: number of features");
  app.add_flag("--zero-based", s.libsvm.zero_based, "libsvm: indices count from 0");
  app.add_flag("--dense", s.convert.dense, "libsvm: a dense file");
  app.add_flag("--positive-is-one", s.positive_is_one, "Targets above 0 become 1, others 0");
  app.add_flag("--float", s.as_float, "Coefficients of 4 bytes");
  auto* const shuffle = app.add_option("--shuffle", s.seed, "Shuffle the rows, by this seed");
  CLI11_PARSE(app, argc, argv);
  try {
    if (shuffle->count() > 0) s.convert.shuffle_seed = s.seed;
    if (!s.in.empty()) {
      if (s.out.empty()) throw std::invalid_argument("the name of the file to be made is missing");
      run(s);
    } else {
      s.in = DESCENT_EXAMPLE_DATA_DIR "/diabetes/diabetes.csv";
      s.out = "diabetes.descent";
      s.csv.target = "progression";
      run(s);
      fit(s.out);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "convert_data: %s\n", error.what());
    return 2;
  }
}
