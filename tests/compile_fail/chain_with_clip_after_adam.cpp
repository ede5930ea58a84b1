// expect: a transform that takes the gradient \(clipping, for one\) stands after one that made a direction of it .*: move it to the head of the chain
#include <descent/engine/stepper.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

int main() {
  auto adam = descent::chain(descent::scale_by_adam(), descent::clip_by_global_norm(1),
                             descent::scale_by_learning_rate(0.1));
}
