// Tests of the tests: the reference files load, the reference objectives agree with them, and the
// comparison rule passes plain loops of SGD, Adam and AdamW as PyTorch defines them, and fails them
// when one sign or one term is wrong.
#include "support/reference.hpp"
#include "support/catch.hpp"
#include "support/compare.hpp"
#include "support/objectives.hpp"
#include "support/record.hpp"

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

using descent_test::list;
using descent_test::load_record;
using descent_test::load_schedule;
using descent_test::load_trajectory;
using descent_test::parse_record;
using descent_test::Record;
using descent_test::ReferenceError;
using descent_test::Report;
using descent_test::Trajectory;
using Eigen::VectorXd;

namespace {

// One deliberate mistake in a loop below; `none` is the method as it should be.
enum class Slip {
  none,
  step_sign,
  momentum_sign,
  decay_sign,
  no_second_correction,
  epsilon_inside_root,
  coupled_decay,
  second_moment_of_gradient
};

Report run_sgd(const Trajectory& reference, Slip slip = Slip::none) {
  const Record& hyper = reference.hyper;
  const double rate = hyper.number("lr"), momentum = hyper.number("momentum", 0.0),
               dampening = hyper.number("dampening", 0.0);
  const double decay = hyper.number("weight_decay", 0.0) * (slip == Slip::decay_sign ? -1 : 1);
  const bool nesterov = hyper.flag("nesterov", false);
  VectorXd buffer = VectorXd::Zero(reference.x0.size());
  const Report report =
      descent_test::compare(reference, [&](std::int64_t t, VectorXd& x, const VectorXd& g) {
        for (Eigen::Index i = 0; i < x.size(); ++i) {
          const double d = g[i] + decay * x[i];
          const double kept = momentum * buffer[i] * (slip == Slip::momentum_sign ? -1 : 1);
          buffer[i] = t == 1 || momentum == 0 ? d : kept + (1 - dampening) * d;
          const double update = rate * (nesterov ? d + momentum * buffer[i] : buffer[i]);
          x[i] = slip == Slip::step_sign ? x[i] + update : x[i] - update;
        }
      });
  hyper.expect_all_read();
  return report;
}

Report run_adam(const Trajectory& reference, Slip slip = Slip::none) {
  const Record& hyper = reference.hyper;
  const VectorXd betas = hyper.numbers("betas");
  const double rate = hyper.number("lr"), epsilon = hyper.number("eps");
  const double decay = hyper.number("weight_decay") * (slip == Slip::decay_sign ? -1 : 1);
  const bool amsgrad = hyper.flag("amsgrad");
  const bool decoupled = (reference.optimizer == "AdamW") != (slip == Slip::coupled_decay);
  VectorXd m = VectorXd::Zero(reference.x0.size()), v = m, largest = m;
  const Report report =
      descent_test::compare(reference, [&](std::int64_t t, VectorXd& x, const VectorXd& g) {
        const double steps = static_cast<double>(t);
        const double correction1 = -std::expm1(steps * std::log1p(betas[0] - 1));
        const double correction2 =
            slip == Slip::no_second_correction ? 1 : -std::expm1(steps * std::log1p(betas[1] - 1));
        for (Eigen::Index i = 0; i < x.size(); ++i) {
          if (decoupled) x[i] *= 1 - rate * decay;
          const double d = decoupled ? g[i] : g[i] + decay * x[i];
          m[i] = betas[0] * m[i] + (1 - betas[0]) * d;
          v[i] =
              betas[1] * v[i] +
              (1 - betas[1]) * d * (slip == Slip::second_moment_of_gradient ? std::abs(m[i]) : d);
          largest[i] = amsgrad ? std::max(largest[i], v[i]) : v[i];
          const double second = largest[i] / correction2;
          const double scale = slip == Slip::epsilon_inside_root ? std::sqrt(second + epsilon)
                                                                 : std::sqrt(second) + epsilon;
          const double update = rate * (m[i] / correction1) / scale;
          x[i] = slip == Slip::step_sign ? x[i] + update : x[i] - update;
        }
      });
  hyper.expect_all_read();
  return report;
}

struct Totals {
  int files = 0, failed_files = 0, compared = 0, skipped = 0;
  double worst = 0;
};

// Runs a loop over all files of one optimizer that the predicate takes.
Totals run_all(
    const std::string& optimizer, Slip slip,
    const std::function<bool(const Trajectory&)>& takes = [](const Trajectory&) { return true; }) {
  Totals totals;
  for (const std::string& name : list("torch")) {
    const Trajectory reference = load_trajectory(name);
    if (reference.optimizer != optimizer || !takes(reference)) continue;
    const Report report = optimizer == "SGD" ? run_sgd(reference, slip) : run_adam(reference, slip);
    if (slip == Slip::none) {
      INFO(report.first_failure);
      CHECK(report.passed());
    }
    ++totals.files;
    totals.failed_files += report.passed() ? 0 : 1;
    totals.compared += report.compared;
    totals.skipped += report.skipped;
    totals.worst = std::max(totals.worst, report.worst);
  }
  return totals;
}

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const ReferenceError& error) {
    return error.what();
  }
  return "no error";
}

std::string parse_message(const std::string& text) {
  return message_of([&] { parse_record(text, "file"); });
}

}  // namespace

TEST_CASE("plain loops of SGD, Adam and AdamW follow PyTorch's trajectories", "[reference]") {
  const Totals sgd = run_all("SGD", Slip::none), adam = run_all("Adam", Slip::none),
               adamw = run_all("AdamW", Slip::none);
  CHECK(sgd.files == 20);
  CHECK(adam.files == 14);
  CHECK(adamw.files == 6);
  for (const Totals& totals : {sgd, adam, adamw}) {
    CAPTURE(totals.compared, totals.skipped, totals.worst);
    CHECK(totals.failed_files == 0);
    CHECK(totals.worst < 0.1);  // other orders of operations stay far inside the tolerance
    CHECK(totals.skipped * 10 < totals.compared);
  }
}

TEST_CASE("the comparison rule sees one wrong sign or term in every file that it touches",
          "[reference]") {
  const auto has_momentum = [](const Trajectory& r) { return r.hyper.number("momentum") != 0; };
  const auto has_decay = [](const Trajectory& r) { return r.hyper.number("weight_decay") != 0; };
  const auto all_fail = [](const Totals& totals) {
    CHECK(totals.files > 0);
    CHECK(totals.failed_files == totals.files);
  };
  all_fail(run_all("SGD", Slip::step_sign));
  all_fail(run_all("SGD", Slip::momentum_sign, has_momentum));
  all_fail(run_all("SGD", Slip::decay_sign, has_decay));
  all_fail(run_all("Adam", Slip::step_sign));
  all_fail(run_all("Adam", Slip::decay_sign, has_decay));
  all_fail(run_all("Adam", Slip::no_second_correction));
  all_fail(run_all("Adam", Slip::epsilon_inside_root));
  all_fail(run_all("Adam", Slip::second_moment_of_gradient,
                   [](const Trajectory& r) { return r.hyper.numbers("betas")[0] != 0; }));
  all_fail(run_all("AdamW", Slip::step_sign));
  all_fail(run_all("AdamW", Slip::coupled_decay, has_decay));
}

TEST_CASE("a result that is not finite or has another size fails the comparison", "[reference]") {
  const Trajectory reference = load_trajectory("torch/sgd__plain__rosen");
  const auto nan = descent_test::compare(reference, [](std::int64_t, VectorXd& x, const VectorXd&) {
    x[1] = std::numeric_limits<double>::quiet_NaN();
  });
  CHECK_FALSE(nan.passed());
  CHECK(nan.worst == HUGE_VAL);
  CHECK(nan.first_failure.find("sgd__plain__rosen, step 1, x[") == 0);

  Report report;
  descent_test::compare_point(reference, reference.checkpoints[0], "x", VectorXd::Zero(3),
                              reference.checkpoints[0].x, report);
  CHECK(report.failures == 1);
  CHECK_FALSE(Report{}.passed());  // nothing compared is no success
}

TEST_CASE("averaged points are compared when the test hands them over", "[reference]") {
  const Trajectory reference = load_trajectory("numpy/ema__sgd__rosen");
  CHECK(reference.checkpoints[0].extra.size() == 3);
  const double rate = reference.hyper.number("inner.lr"),
               momentum = reference.hyper.number("inner.momentum");
  CHECK(reference.hyper.text("inner.name") == "sgd");
  const double decay = reference.hyper.number("decay");
  VectorXd buffer = VectorXd::Zero(2), ema = buffer, sum = buffer;
  std::int64_t steps = 0;
  const auto step = [&](std::int64_t t, VectorXd& x, const VectorXd& g) {
    buffer = momentum * buffer + g;
    x -= rate * buffer;
    ema = decay * ema + (1 - decay) * x;
    sum += x;
    steps = t;
  };
  const auto extra = [&](std::string_view name) -> VectorXd {
    const double t = static_cast<double>(steps);
    if (name == "x_ema") return ema;
    if (name == "x_ema_debiased") return ema / -std::expm1(t * std::log(decay));
    return sum / t;
  };
  const Report report = descent_test::compare(reference, step, extra);
  INFO(report.first_failure);
  CHECK(report.passed());
  CHECK(report.compared + report.skipped == 4 * 2 * static_cast<int>(reference.checkpoints.size()));
}

TEST_CASE("every reference file loads, whole", "[reference]") {
  std::map<std::string, int> torch, numpy;
  int comparable = 0;
  for (const std::string folder : {"torch", "numpy"})
    for (const std::string& name : list(folder)) {
      const Trajectory reference = load_trajectory(name);
      ++(folder == "torch" ? torch : numpy)[reference.optimizer];
      comparable += reference.step_by_step ? 1 : 0;
      CHECK_FALSE(reference.source.empty());
    }
  CHECK(list("torch").size() == 96);
  CHECK(torch.size() == 13);
  CHECK(list("numpy").size() == 83);
  CHECK(numpy.size() == 31);
  CHECK(comparable == 170);

  CHECK(list("sched").size() == 26);
  for (const std::string& name : list("sched"))
    CHECK(load_schedule(name).learning_rate.allFinite());
  CHECK(load_schedule("sched/cosineannealinglr__T30_min").arguments.integer("T_max") == 30);
  CHECK(load_schedule("sched/onecyclelr__default").momentum.size() == 200);
  CHECK(load_schedule("sched/reducelronplateau__nan").metric.hasNaN());

  CHECK(load_record("mgh").blocks("problem").size() == 29);
  CHECK(load_record("misc/bias_correction").blocks("case").size() == 104);
  CHECK(load_record("misc/clip").blocks("case").size() == 75);
  CHECK(load_record("misc/extreme_inputs").blocks("case").size() == 143);
  CHECK(load_record("misc/finite_sum").blocks("case").size() == 10);
  CHECK(load_record("misc/prox_lasso").blocks("case").size() == 3);
  CHECK_THROWS_AS(list("absent"), ReferenceError);
  CHECK_THROWS_AS(load_record("absent"), ReferenceError);
}

TEST_CASE("the reference objectives return the losses of the files", "[reference]") {
  int losses = 0;
  for (const std::string folder : {"torch", "numpy"})
    for (const std::string& name : list(folder)) {
      const Trajectory reference = load_trajectory(name);
      const auto objective = descent_test::make_objective(reference);
      for (const auto& point : reference.checkpoints) {
        REQUIRE(point.loss.has_value() == objective.has_loss());
        if (!point.loss) continue;
        CAPTURE(name, point.t);
        CHECK(std::abs(objective.loss(point.x) - *point.loss) <=
              1e-12 * std::max(1.0, std::abs(*point.loss)));
        ++losses;
      }
    }
  CHECK(losses == 957);
}

TEST_CASE("the gradients of the reference objectives are those of their losses", "[reference]") {
  using namespace descent_test;
  std::vector<std::pair<ReferenceObjective, VectorXd>> cases;
  for (const char* name : {"torch/sgd__plain__rosen", "torch/sgd__plain__quad5",
                           "torch/sgd__plain__logreg8x3", "numpy/soap__default__matls4x3"}) {
    const Trajectory reference = load_trajectory(name);
    cases.emplace_back(make_objective(reference), reference.x0);
  }
  cases.emplace_back(ReferenceObjective(Beale{}), VectorXd{{1.01, 0.98}});
  cases.emplace_back(ReferenceObjective(Himmelblau{}), VectorXd{{-1.5, 2.25}});
  for (const auto& [objective, x0] : cases) {
    VectorXd g, x = x0;
    objective.gradient_at(1, x, g);
    const double scale = std::max(1.0, g.cwiseAbs().maxCoeff());
    for (Eigen::Index i = 0; i < x.size(); ++i) {
      const double h = 1e-5;
      x[i] = x0[i] + h;
      const double above = objective.loss(x);
      x[i] = x0[i] - h;
      const double below = objective.loss(x);
      x[i] = x0[i];
      CAPTURE(objective.any().index(), i);
      CHECK(std::abs((above - below) / (2 * h) - g[i]) <= 1e-6 * scale);
    }
  }

  const Record beale = load_record("mgh").blocks("problem")[4];
  REQUIRE(beale.text("id") == "beale");
  for (const Record& point : beale.blocks("check_point")) {
    VectorXd g(2);
    Beale{}.gradient(point.numbers("x"), g);
    CHECK((g - point.numbers("g")).norm() <= 1e-12 * point.numbers("g").norm());
    CHECK(std::abs(Beale{}.loss(point.numbers("x")) - point.number("f")) <=
          1e-12 * point.number("f"));
  }
}

TEST_CASE("the samples' gradients average to the full one", "[reference]") {
  const Record record = load_record("misc/finite_sum");
  const auto objective = descent_test::make_objective(record.below("objective"));
  const auto& logistic = std::get<descent_test::Logistic>(objective.any());
  const VectorXd w = record.numbers("x0");
  VectorXd full(3), one(3), mean = VectorXd::Zero(3);
  logistic.gradient(w, full);
  for (Eigen::Index i = 0; i < 8; ++i) {
    logistic.sample_gradient(i, w, one);
    mean += one / 8;
  }
  CHECK((mean - full).norm() <= 1e-15);
}

TEST_CASE("products are not contracted in this target", "[reference]") {
  // Each factor is loaded by itself, so that the two products are two computations: rounded, they
  // cancel; contracted into the subtraction, the second keeps the bits that the first has lost.
  volatile double factor = 1 + 0x1p-30;
  const double a = factor, b = factor, c = factor, d = factor;
  volatile double product = a * b;
  INFO("compile the tests with -ffp-contract=off");
  CHECK(c * d - product == 0.0);
}

TEST_CASE("numbers are read exactly, subnormals and words included", "[reference]") {
  const Record record = parse_record(
      "a 4.9406564584124654e-324 -2.2250738585072009e-308 1.7976931348623157e+308 -0.0 nan inf "
      "-inf\nb 9007199254740992\n");
  const VectorXd a = record.numbers("a");
  REQUIRE(a.size() == 7);
  CHECK(a[0] == std::numeric_limits<double>::denorm_min());
  CHECK(a[1] == -0x0.fffffffffffffp-1022);
  CHECK(a[2] == std::numeric_limits<double>::max());
  CHECK(std::signbit(a[3]));
  CHECK(std::isnan(a[4]));
  CHECK(a[5] == HUGE_VAL);
  CHECK(a[6] == -HUGE_VAL);
  CHECK(record.integer("b") == std::int64_t{1} << 53);

  double number = 0;
  for (const char* word : {"", "-", "+1", "1,5", "1.5x", "0x10", "infinity", "NaN", "nan(1)", "--1",
                           "1e999", "-nan"}) {
    CAPTURE(word);
    CHECK_FALSE(descent_test::parse_number(word, number));
  }
}

TEST_CASE("a malformed or surplus line is an error with file and line", "[reference]") {
  CHECK(parse_message("a 1\nb 1 2x\n") == "file:2: not a number: '2x'");
  CHECK(parse_message("a 1\n# c\na 2\n") == "file:3: a comes twice");
  CHECK(parse_message("a 1  2\n") == "file:1: two spaces in a row");
  CHECK(parse_message("a 1 \n") == "file:1: a space at the end of the line");
  CHECK(parse_message("a 1\nb 2") == "file:2: the last line does not end: is the file cut off?");
  CHECK(parse_message("begin p\n  a 1\n") == "file:2: the block p has no end");
  CHECK(parse_message("begin p\nend q\n") == "file:2: end q closes nothing");
  CHECK(parse_message("end p\n") == "file:1: end p closes nothing");
  CHECK(parse_message("m [2 x 2] 1 2 3\n") == "file:1: m does not have rows x columns numbers");
  CHECK(parse_message("m [2 2] 1\n") == "file:1: a matrix begins with [rows x columns]");
  CHECK(parse_message("a 1\r\n") == "file:1: not a number: '1\r'");

  const Record record = parse_record(
      "a 1\nt = two words\nyes true\nabsent none\nm [1 x 2] 1 2\nh 0.5\nsub.x 3\nbegin p\n  z "
      "1\nend p\n",
      "file");
  CHECK(record.number("a") == 1.0);
  CHECK(record.text("t") == "two words");
  CHECK(record.flag("yes"));
  CHECK(record.number("absent", 7.0) == 7.0);
  CHECK(record.number("missing", 8.0) == 8.0);
  CHECK(record.matrix("m").cols() == 2);
  CHECK(message_of([&] { record.number("missing"); }) == "file:1: there is no entry missing");
  CHECK(message_of([&] { record.number("t"); }) == "file:2: t are not numbers");
  CHECK(message_of([&] { record.text("a"); }) == "file:1: a is not a text");
  CHECK(message_of([&] { record.flag("a"); }) == "file:1: a is not a flag");
  CHECK(message_of([&] { record.number("absent"); }) == "file:4: absent are not numbers");
  CHECK(message_of([&] { record.numbers("m"); }) == "file:5: m is a matrix, not a list of numbers");
  CHECK(message_of([&] { record.integer("h"); }) == "file:6: h is not an integer");
  CHECK(message_of([&] { record.blocks("q"); }) == "file:1: there is no block q");
  CHECK(message_of([&] { record.expect_all_read(); }) == "file:7: sub.x was not read by anybody");
  const Record below = record.below("sub");
  CHECK(message_of([&] { record.expect_all_read(); }) == "file:8: p was not read by anybody");
  record.blocks("p");
  CHECK(message_of([&] { record.expect_all_read(); }) == "no error");
  CHECK(message_of([&] { below.expect_all_read(); }) == "file:7: x was not read by anybody");
}
