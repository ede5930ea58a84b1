// expect: stands after the learning rate: move it before scale_by_learning_rate
#include <descent/engine/stepper.hpp>
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

int main() {
  auto adamw = descent::chain(descent::scale_by_adam(), descent::scale_by_learning_rate(0.1),
                              descent::add_decayed_weights(0.01));
}
