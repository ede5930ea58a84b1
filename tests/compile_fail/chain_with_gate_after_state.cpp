// expect: move it to the head of the chain
#include <descent/engine/stepper.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/skip_if_not_finite.hpp>
#include <descent/transform/trace.hpp>

int main() {
  auto momentum = descent::chain(descent::trace({.momentum = 0.9}), descent::skip_if_not_finite(),
                                 descent::scale_by_learning_rate(0.1));
}
