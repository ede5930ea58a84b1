// expect: a sparse gradient needs a chain that is elementwise: clipping by a norm, gates, averages, look-ahead and other transforms that regard all coefficients need a dense g
#include <descent/engine/stepper.hpp>
#include <descent/transform/clip_by_global_norm.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

#include <Eigen/SparseCore>

int main() {
  auto sgd = descent::chain(descent::clip_by_global_norm(1), descent::scale_by_learning_rate(0.1));
  Eigen::VectorXd x = Eigen::VectorXd::Ones(2);
  sgd.step(x, Eigen::SparseVector<double>(2));
}
