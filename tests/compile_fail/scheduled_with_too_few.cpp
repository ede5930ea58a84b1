// expect: make takes one double for each schedule and returns a transform
#include <descent/transform/scale_by_adam.hpp>
#include <descent/transform/scheduled.hpp>

int main() {
  (void)descent::scheduled(
      [](double beta1, double beta2) {
        return descent::scale_by_adam({.beta1 = beta1, .beta2 = beta2});
      },
      0.9);
}
