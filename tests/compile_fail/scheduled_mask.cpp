// expect: this transform keeps data in its state, which a schedule would not change
#include <descent/transform/add_decayed_weights.hpp>
#include <descent/transform/scheduled.hpp>

int main() {
  (void)descent::scheduled(
      [](double decay) { return descent::add_decayed_weights(decay, Eigen::VectorXd::Ones(3)); },
      0.1);
}
