// expect: a learning rate is a schedule by itself: scale_by_learning_rate\(schedule\)
#include <descent/transform/scale_by_learning_rate.hpp>
#include <descent/transform/scheduled.hpp>

int main() {
  (void)descent::scheduled([](double rate) { return descent::scale_by_learning_rate(rate); }, 0.1);
}
