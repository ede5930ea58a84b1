// From a CSV file to a linear fit: file, target column, optimizer, rate and epochs come from the command line.
//
//     bring_your_own_data measurements.csv --target yield --optimizer sgd --rate 0.01 --epochs 100
//
// Without arguments it fits the diabetes data. The command line is read by CLI11, the file by libcsv (which knows
// quotes, quoted commas and line ends of all systems); the example is built only where both are found.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <csv.h>
#include <CLI/CLI.hpp>
#include <Eigen/Core>

#include <descent/descent.hpp>

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

using Rows = std::vector<std::vector<std::string>>;

Rows read_csv(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(file), {}};

  // libcsv calls these with the text of a field, and at the end of a row.
  struct Reader {
    Rows rows{{}};
    static void field(void* begin, std::size_t size, void* self) {
      static_cast<Reader*>(self)->rows.back().emplace_back(static_cast<char*>(begin), size);
    }
    static void row(int, void* self) { static_cast<Reader*>(self)->rows.emplace_back(); }
  } reader;
  csv_parser parser;
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
  const bool good = csv_parse(&parser, text.data(), text.size(), &Reader::field, &Reader::row,
                              &reader) == text.size() &&
                    csv_fini(&parser, &Reader::field, &Reader::row, &reader) == 0;
  const std::string reason = good ? "" : csv_strerror(csv_error(&parser));
  csv_free(&parser);
  if (!good) throw std::runtime_error(path + ": " + reason);
  reader.rows.pop_back();
  return reader.rows;
}

struct Data {
  std::vector<std::string> features;
  MatrixXd x;  // n x d
  VectorXd y;
};

Data load(const std::string& path, const std::string& target) {
  const Rows rows = read_csv(path);
  if (rows.size() < 3) throw std::runtime_error(path + ": a header and two rows at least, please");
  Data data;
  std::size_t at = rows[0].size();
  for (std::size_t j = 0; j < rows[0].size(); ++j) {
    if (rows[0][j] == target) {
      at = j;
    } else {
      data.features.push_back(rows[0][j]);
    }
  }
  if (at == rows[0].size()) throw std::runtime_error(path + " has no column " + target);

  const auto n = static_cast<Index>(rows.size() - 1);
  data.x.resize(n, static_cast<Index>(data.features.size()));
  data.y.resize(n);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string where = path + ", row " + std::to_string(i + 1);
    if (rows[i].size() != rows[0].size()) {
      throw std::runtime_error(where + ": " + std::to_string(rows[i].size()) + " fields under " +
                               std::to_string(rows[0].size()) + " names");
    }
    Index k = 0;
    for (std::size_t j = 0; j < rows[i].size(); ++j) {
      const std::string& text = rows[i][j];
      double value = 0;
      const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc{} || stop != text.data() + text.size() || !std::isfinite(value)) {
        throw std::runtime_error(where + ", column " + rows[0][j] + ": '" + text +
                                 "' is not a finite number");
      }
      (j == at ? data.y[Index(i - 1)] : data.x(Index(i - 1), k++)) = value;
    }
  }
  return data;
}

struct Settings {
  std::string path = DESCENT_EXAMPLE_DATA_DIR "/diabetes/diabetes.csv", target = "progression";
  std::string optimizer = "adam";
  double rate = 0.01, l2 = 0, held_out = 0.2;
  std::int64_t epochs = 200, batch_size = 32;
  std::uint64_t seed = 1;
};

int fit(const Settings& settings) {
  const Data data = load(settings.path, settings.target);
  const Index d = data.x.cols(), n = data.x.rows();

  // A random part is held out; the rest is fitted.
  std::vector<Index> train, test;
  descent::Batches order(n, n, descent::shuffled, settings.seed);
  const auto most = static_cast<double>(n) * settings.held_out;
  for (const Index i : order.next()) {
    (static_cast<double>(test.size()) + 1 <= most ? test : train).push_back(i);
  }

  // Everything in z-scores of the rows that are fitted: rates mean the same for all data. A constant column stays 0.
  const auto z_score = [&](const MatrixXd& all, VectorXd& mean, VectorXd& deviation) {
    const MatrixXd rows = all(train, Eigen::all);
    mean = rows.colwise().mean();
    deviation = ((rows.rowwise() - mean.transpose()).colwise().squaredNorm() /
                 static_cast<double>(rows.rows()))
                    .cwiseSqrt();
    deviation = (deviation.array() > 0).select(deviation, 1);
    return MatrixXd((all.rowwise() - mean.transpose()) * deviation.cwiseInverse().asDiagonal());
  };
  VectorXd x_mean, x_deviation, y_mean, y_deviation;
  MatrixXd x(n, d + 1);
  x << z_score(data.x, x_mean, x_deviation), VectorXd::Ones(n);
  const VectorXd y = z_score(data.y, y_mean, y_deviation);

  const auto objective = descent::l2(
      descent::LinearRegression(MatrixXd(x(train, Eigen::all)), VectorXd(y(train))), settings.l2);
  const descent::MinimizeOptions sampled{
      .max_epochs = settings.epochs, .batch_size = settings.batch_size, .seed = settings.seed};
  const VectorXd start = VectorXd::Zero(d + 1);
  const auto bar = [] { return descent::progress_bar(); };
  descent::Result<VectorXd> result;
  if (settings.optimizer == "gd") {
    result = descent::minimize(objective, start,
                               descent::GradientDescent({.learning_rate = settings.rate}),
                               {.max_epochs = settings.epochs}, bar());
  } else if (settings.optimizer == "sgd") {
    result = descent::minimize(objective, start, descent::SGD({.learning_rate = settings.rate}),
                               sampled, bar());
  } else {
    result = descent::minimize(objective, start, descent::Adam({.learning_rate = settings.rate}),
                               sampled, bar());
  }

  std::printf("%s: %d rows fitted, %d held out, %d features\n%s: %s\n", settings.path.c_str(),
              static_cast<int>(train.size()), static_cast<int>(test.size()), static_cast<int>(d),
              settings.optimizer.c_str(), result.message().c_str());
  const VectorXd slopes = y_deviation[0] * result.x.head(d).cwiseQuotient(x_deviation);
  const double intercept = y_mean[0] + y_deviation[0] * result.x[d] - slopes.dot(x_mean);
  std::printf("%s =\n  %14.6g\n", settings.target.c_str(), intercept);
  for (Index j = 0; j < d; ++j) {
    std::printf("  %+14.6g x %s\n", slopes[j], data.features[std::size_t(j)].c_str());
  }
  const auto r_squared = [&](const std::vector<Index>& rows) {
    const VectorXd truth = data.y(rows);
    const VectorXd error =
        ((data.x(rows, Eigen::all) * slopes).array() + intercept).matrix() - truth;
    return 1 - error.squaredNorm() / (truth.array() - truth.mean()).matrix().squaredNorm();
  };
  std::printf("R squared: %.4f on the rows fitted", r_squared(train));
  if (test.size() > 1) std::printf(", %.4f on those held out", r_squared(test));
  std::printf("\n");
  return std::isfinite(result.loss) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Fits a linear model to the columns of a CSV file by a method of descent");
  app.add_option("file", settings.path, "CSV file: a line of names, then rows of numbers")
      ->check(CLI::ExistingFile);
  app.add_option("--target", settings.target, "Name of the column to predict")
      ->capture_default_str();
  app.add_option("--optimizer", settings.optimizer, "gd, sgd or adam")
      ->check(CLI::IsMember({"gd", "sgd", "adam"}))
      ->capture_default_str();
  app.add_option("--rate", settings.rate, "Learning rate, for columns in z-scores")
      ->capture_default_str();
  app.add_option("--epochs", settings.epochs, "Passes over the rows")->capture_default_str();
  app.add_option("--batch-size", settings.batch_size, "Rows an update (sgd, adam)")
      ->capture_default_str();
  app.add_option("--l2", settings.l2, "Weight of the ridge penalty")->capture_default_str();
  app.add_option("--held-out", settings.held_out, "Part of the rows that is not fitted")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--seed", settings.seed, "Of the split and the mini-batches")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return fit(settings);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bring_your_own_data: %s\n", error.what());
    return 2;
  }
}
