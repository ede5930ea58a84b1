// expect: averaging, projections and proximal steps take the finished step: move them behind scale_by_learning_rate
#include <descent/engine/stepper.hpp>
#include <descent/transform/project_on_box.hpp>
#include <descent/transform/scale_by_learning_rate.hpp>

int main() {
  auto optimizer =
      descent::chain(descent::project_on_non_negative(), descent::scale_by_learning_rate(0.1));
}
