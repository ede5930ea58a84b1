#include <descent/core/result.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>
#include <limits>
#include <set>
#include <string>

using namespace descent;

namespace {
constexpr Status all[] = {
    Status::GradientTolerance, Status::LossTolerance,   Status::StepTolerance,
    Status::IterationLimit,    Status::EpochLimit,      Status::EvaluationLimit,
    Status::TimeLimit,         Status::Stopped,         Status::NonFinite,
    Status::Diverged,          Status::LineSearchFailed};
}

TEST_CASE("the first three statuses are success, and nothing else is") {
  int successes = 0;
  for (const Status status : all) {
    Result<Eigen::VectorXd> result;
    result.status = status;
    successes += result.converged();
    CHECK(result.converged() == (to_string(status).find("Tolerance") != std::string::npos));
  }
  CHECK(successes == 3);
  CHECK_FALSE(Result<Eigen::VectorXd>().converged());
}

TEST_CASE("each status has a name and a sentence of its own") {
  std::set<std::string> names, sentences;
  for (const Status status : all) {
    Result<Eigen::VectorXd> result;
    result.status = status;
    result.iterations = 1;
    names.emplace(to_string(status));
    sentences.insert(result.message());
    CHECK(result.message().find(", after 1 iteration") != std::string::npos);
  }
  CHECK(names.size() == 11);
  CHECK(sentences.size() == 11);
  CHECK(names.count("unknown") == 0);
  CHECK(std::string(to_string(Status::LineSearchFailed)) == "LineSearchFailed");
}

TEST_CASE("the sentence says where the trouble is") {
  using Where = Trouble::Where;
  const auto message = [](Status status, const Trouble& trouble) {
    Result<Eigen::VectorXd> result;
    result.status = status;
    result.trouble = trouble;
    result.iterations = 12;
    return result.message();
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(message(Status::NonFinite, {.where = Where::loss, .value = -infinity}) ==
        "the loss is -inf, after 12 iterations: a smaller learning rate may help, and "
        "check_gradient(f, x) "
        "if none does");
  CHECK(message(Status::NonFinite, {.where = Where::gradient, .index = 3, .value = infinity}) ==
        "the gradient's coefficient 3 is inf, after 12 iterations: a smaller learning rate may "
        "help, and check_gradient(f, x) "
        "if none does");
  CHECK(message(Status::NonFinite, {.where = Where::parameters, .index = 0, .value = infinity}) ==
        "the parameters' coefficient 0 is inf, after 12 iterations: a smaller learning rate may "
        "help, and check_gradient(f, x) "
        "if none does");
  CHECK(message(Status::NonFinite, {.where = Where::state, .index = 7, .value = 1e200}) ==
        "the gradient's coefficient 7, 1e+200, is too large for the optimizer's state, after 12 "
        "iterations: a smaller learning rate may help, and check_gradient(f, x) if none does");
  CHECK(message(Status::NonFinite,
                {.where = Where::gradient, .index = 3, .value = 1, .first_evaluation = true}) ==
        "the gradient's coefficient 3 is 1 (every coefficient must be written), at the first "
        "evaluation");
  CHECK(message(Status::Diverged, {.where = Where::parameters, .index = 5}) ==
        "the parameters overflowed at index 5, after 12 iterations: a smaller learning rate may "
        "help, "
        "unless the loss has no lower bound");
  CHECK(message(Status::Diverged, {}) ==
        "the run ended above its start, and the start is returned, after 12 iterations: a smaller "
        "learning rate may help, unless the loss has no lower bound");
}
