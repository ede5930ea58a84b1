// expect: descent::Schedule holds a callable of at most 128 bytes inline: capture less, or capture a pointer to what it needs
#include <descent/core/schedule.hpp>

#include <array>

int main() {
  std::array<double, 17> table{};
  descent::Schedule schedule = [table](std::int64_t k) { return table[std::size_t(k)]; };
}
