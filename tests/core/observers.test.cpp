#include <descent/core/observers.hpp>

#include "support/catch.hpp"

#include <Eigen/Core>
#include <string>

using namespace descent;
using Eigen::Vector2d;

namespace {
struct Silent {
  static constexpr bool uses_loss = false;
  void operator()(const Progress&) const {}
};
struct Loud {
  static constexpr bool uses_loss = true;
  void operator()(const Progress&) const {}
};
struct Asked {
  bool answer = false;
  bool uses_loss() const { return answer; }
  void operator()(const Progress&) const {}
};
const auto nothing = [](const Progress&) {};
using Plain = decltype(nothing);
}  // namespace

TEST_CASE("whether the loss is used") {
  Silent silent;
  const Silent fixed;
  Loud loud;
  Asked asked;
  static_assert(!Observers<>::any && Observers<Silent>::any);
  CHECK(!Observers<>{}.uses_loss());
  CHECK(!Observers<Silent>(silent).uses_loss());
  CHECK(!Observers<const Silent, Silent>(fixed, silent).uses_loss());
  CHECK(Observers<Loud>(loud).uses_loss());
  CHECK(Observers<Plain>(nothing).uses_loss());  // who says nothing may use it
  CHECK(Observers<Silent, Plain>(silent, nothing).uses_loss());
  CHECK(!Observers<Asked>(asked).uses_loss());
  asked.answer = true;
  CHECK(Observers<Silent, Asked>(silent, asked).uses_loss());
}

TEST_CASE("all observers are told, in their order, whatever the others say") {
  std::string told;
  auto stops = [&](const Progress&) {
    told += 'a';
    return false;
  };
  auto watches = [&](const Progress&, const Vector2d& x) { told += x[0] == 3 ? 'b' : '?'; };
  auto goes_on = [&](const Progress& p, const Vector2d&) {
    told += p.iterations == 4 ? 'c' : '?';
    return 1;  // converts to bool
  };
  Progress progress{.iterations = 4};
  const auto ignore = [](Progress&) {};
  Observers first(stops, watches, goes_on);
  CHECK_FALSE(first.notify(progress, Vector2d(3, 0), ignore));
  CHECK(told == "abc");
  Observers second(goes_on, watches);
  CHECK(second.notify(progress, Vector2d(3, 0), ignore));
  CHECK(told == "abccb");
  Observers last(goes_on, stops);
  CHECK_FALSE(last.notify(progress, Vector2d(3, 0), ignore));
  CHECK(Observers<>().notify(progress, Vector2d(3, 0), ignore));
}

TEST_CASE("an observer may scale the learning rate, and the next one sees it") {
  double asked = 1;
  int calls = 0;
  const auto apply = [&](Progress& p) {
    ++calls;
    asked *= p.rate_factor;
    p.learning_rate *= p.rate_factor;
    p.rate_factor = 1;
  };
  const auto halve = [](const Progress& p) { p.scale_learning_rate(0.5); };
  const auto twice = [](const Progress& p) {
    p.scale_learning_rate(0.25);
    p.scale_learning_rate(0.5);
  };
  double seen = 0;
  const auto look = [&](const Progress& p) { seen = p.learning_rate; };
  Progress progress{.learning_rate = 8};
  CHECK(Observers(look, halve, twice).notify(progress, Vector2d(3, 0), apply));
  CHECK(seen == 8);
  CHECK(calls == 2);
  CHECK(asked == 0.0625);
  CHECK(Observers(halve, look).notify(progress, Vector2d(3, 0), apply));
  CHECK(seen == 0.25);
  CHECK(Observers(look).notify(progress, Vector2d(3, 0), apply));
  CHECK(calls == 3);
  CHECK(Progress{}.rate_factor == 1);
}

TEST_CASE("hooks are called where an observer has them") {
  struct Hooked {
    int begun = 0, ended = 0;
    bool replaces = false;
    void operator()(const Progress&) const {}
    void begin(const Vector2d& x0) { begun += x0[0] == 1; }
    bool end(Vector2d& x) {
      ++ended;
      if (replaces) x[0] = 9;
      return replaces;
    }
  };
  Hooked a, b{.replaces = true};
  Observers both(a, nothing, b);
  Vector2d x(1, 2);
  both.begin(x);
  CHECK(a.begun + b.begun == 2);
  CHECK(both.end(x));
  CHECK(x == Vector2d(9, 2));
  CHECK(a.ended == 1);  // also after one that replaces, and before
  Observers turned(b, a);
  CHECK(turned.end(x));
  CHECK(a.ended == 2);
  Observers none(nothing, a);
  CHECK_FALSE(none.end(x));
}
