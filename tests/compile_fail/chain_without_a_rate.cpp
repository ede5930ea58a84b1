// expect: no learning rate: end the chain with scale_by_learning_rate
#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_adam.hpp>

int main() {
  auto adam = descent::chain(descent::scale_by_adam());
}
