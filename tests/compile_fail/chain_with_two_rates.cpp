// expect: two learning rates: exactly one transform makes the step, so remove one of them
#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

int main() {
  auto adam = descent::chain(descent::scale_by_adam(), descent::scale_by_learning_rate(0.1),
                             descent::scale_by_learning_rate(0.1));
}
