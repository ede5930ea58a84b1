// docs/catalogue.md: the slots, numbers and passes of its tables are the engine's, for default options.
#include "support/catch.hpp"

#include <descent/optimizer/adabelief.hpp>
#include <descent/optimizer/adabound.hpp>
#include <descent/optimizer/adadelta.hpp>
#include <descent/optimizer/adafactor.hpp>
#include <descent/optimizer/adagrad.hpp>
#include <descent/optimizer/adam.hpp>
#include <descent/optimizer/adamax.hpp>
#include <descent/optimizer/adamw.hpp>
#include <descent/optimizer/adan.hpp>
#include <descent/optimizer/ademamix.hpp>
#include <descent/optimizer/adopt.hpp>
#include <descent/optimizer/asgd.hpp>
#include <descent/optimizer/dadapt_adam.hpp>
#include <descent/optimizer/gradient_descent.hpp>
#include <descent/optimizer/lamb.hpp>
#include <descent/optimizer/lars.hpp>
#include <descent/optimizer/lion.hpp>
#include <descent/optimizer/madgrad.hpp>
#include <descent/optimizer/nadam.hpp>
#include <descent/optimizer/novograd.hpp>
#include <descent/optimizer/optimistic_descent.hpp>
#include <descent/optimizer/polyak_step.hpp>
#include <descent/optimizer/prodigy.hpp>
#include <descent/optimizer/qhadam.hpp>
#include <descent/optimizer/qhm.hpp>
#include <descent/optimizer/radam.hpp>
#include <descent/optimizer/rmsprop.hpp>
#include <descent/optimizer/rprop.hpp>
#include <descent/optimizer/schedule_free_adamw.hpp>
#include <descent/optimizer/schedule_free_sgd.hpp>
#include <descent/optimizer/sgd.hpp>
#include <descent/optimizer/sign_descent.hpp>
#include <descent/optimizer/sm3.hpp>
#include <descent/optimizer/yogi.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

using namespace descent;

namespace {

struct Cost {
  std::size_t slots = 99, numbers = 99, passes = 99;
};

// The rows of the tables: | [Adam](catalogue.md#adam) | 2 | 0 | 1 | ... |
std::map<std::string, Cost> read_catalogue() {
  std::ifstream file(std::string(DESCENT_TEST_DATA_DIR) + "/../../docs/catalogue.md");
  std::map<std::string, Cost> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("| [", 0) != 0 || line.find("](catalogue.md#") == std::string::npos) continue;
    const std::string name = line.substr(3, line.find(']') - 3);
    char bar = 0;
    Cost cost;
    std::istringstream cells(line.substr(line.find(')') + 1));
    cells >> bar >> cost.slots >> bar >> cost.numbers >> bar >> cost.passes;
    CAPTURE(line);
    REQUIRE(cells);
    rows[name] = cost;
  }
  return rows;
}

// One coefficient will do: what is counted does not depend on the size.
using V = Eigen::Matrix<double, 1, 1>;

template <template <class> class O>
void check(std::map<std::string, Cost>& rows, const std::string& name) {
  CAPTURE(name);
  REQUIRE(rows.count(name) == 1);
  O<V> optimizer;
  V x(1.0);
  optimizer.step(x, V(0.5), 1.0);
  CHECK(optimizer.state().slots.count() == rows[name].slots);
  CHECK(optimizer.state().numbers.size() == rows[name].numbers);
  CHECK(optimizer.passes == rows[name].passes);
  rows.erase(name);
}

}  // namespace

TEST_CASE("the catalogue's slots, numbers and passes are the engine's", "[catalogue]") {
  auto rows = read_catalogue();
  check<AdaBelief>(rows, "AdaBelief");
  check<AdaBound>(rows, "AdaBound");
  check<Adadelta>(rows, "Adadelta");
  check<Adafactor>(rows, "Adafactor");
  check<Adagrad>(rows, "Adagrad");
  check<Adam>(rows, "Adam");
  check<AdaMax>(rows, "AdaMax");
  check<AdamW>(rows, "AdamW");
  check<Adan>(rows, "Adan");
  check<AdEMAMix>(rows, "AdEMAMix");
  check<ADOPT>(rows, "ADOPT");
  check<ASGD>(rows, "ASGD");
  check<DAdaptAdam>(rows, "DAdaptAdam");
  check<GradientDescent>(rows, "GradientDescent");
  check<LAMB>(rows, "LAMB");
  check<LARS>(rows, "LARS");
  check<Lion>(rows, "Lion");
  check<MADGRAD>(rows, "MADGRAD");
  check<NAdam>(rows, "NAdam");
  check<NovoGrad>(rows, "NovoGrad");
  check<OptimisticDescent>(rows, "OptimisticDescent");
  check<PolyakStep>(rows, "PolyakStep");
  check<Prodigy>(rows, "Prodigy");
  check<QHAdam>(rows, "QHAdam");
  check<QHM>(rows, "QHM");
  check<RAdam>(rows, "RAdam");
  check<RMSprop>(rows, "RMSprop");
  check<Rprop>(rows, "Rprop");
  check<ScheduleFreeAdamW>(rows, "ScheduleFreeAdamW");
  check<ScheduleFreeSGD>(rows, "ScheduleFreeSGD");
  check<SGD>(rows, "SGD");
  check<SignDescent>(rows, "SignDescent");
  check<SM3>(rows, "SM3");
  check<Yogi>(rows, "Yogi");
  CHECK(rows.erase("SparseSGD") == 1);  // no chain: tests/optimizer/sparse_sgd.test.cpp
  for (const auto& [name, cost] : rows) FAIL_CHECK(name << " is in the catalogue and not here");
}
