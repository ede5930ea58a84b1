// expect: a transform of the step stands behind one that makes the new parameters .*: move it in front
#include <descent/engine/stepper.hpp>
#include <descent/transform/lookahead.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

struct Halve {
  static constexpr descent::Stage accepts = descent::Stage::step;
  template <class Real>
  auto kernel(const descent::StepInfo&) const {
    return [](auto& update, const auto&) { update *= Real(0.5); };
  }
};

int main() {
  auto optimizer =
      descent::chain(descent::scale_by_learning_rate(0.1), descent::lookahead(), Halve{});
}
