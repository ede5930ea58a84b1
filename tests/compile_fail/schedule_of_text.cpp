// expect: (no viable conversion|conversion from .* to non-scalar type|invalid conversion|no match)
#include <descent/core/schedule.hpp>

int main() {
  descent::Schedule schedule = "fast";
}
