// A vector for const members that need one for a while: kept from call to call, so that nothing allocates after the first, and
// never shared by two calls at once.
#ifndef DESCENT_CORE_WORKSPACE_HPP
#define DESCENT_CORE_WORKSPACE_HPP

#include <Eigen/Core>
#include <atomic>  // which Eigen/Core includes, too
#include <utility>

#include "descent/core/version.hpp"

namespace descent::inline v0 {

/// Keeps one vector, or another thing to work with. A call takes it, and one that finds it taken makes its own, so calls may run at the same time; the last
/// one to be given back is kept. A copy of the owner begins with none. Vectors of fixed size are locals.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) noexcept {}
  Workspace& operator=(const Workspace&) noexcept { return *this; }
  ~Workspace() { delete kept_.load(std::memory_order_relaxed); }

  /// f(v) for a v of the type and size of x, whose coefficients are anything.
  template <class V, class F>
  auto with(const V& x, const F& f) const {
    if constexpr (V::SizeAtCompileTime != Eigen::Dynamic) {
      V v;
      return f(v);
    } else {
      return lend<V>([&](V& v) {
        v.resizeLike(x);
        return f(v);
      });
    }
  }
  /// f(v) for a vector of so many coefficients.
  template <class V, class F>
  auto of_size(Eigen::Index size, const F& f) const {
    return lend<V>([&](V& v) {
      v.resize(size);
      return f(v);
    });
  }
  /// f(t) for a t of any type, as the call before left it, or fresh.
  template <class T, class F>
  auto lend(const F& f) const {
    Loan<T> loan(kept_);
    return f(loan->v);
  }

 private:
  // A vector of some type, which its address of `type` tells.
  struct Some {
    const void* type;
    explicit Some(const void* which) : type(which) {}
    Some(const Some&) = delete;
    virtual ~Some() = default;
  };
  template <class V>
  struct Kept final : Some {
    static inline char type = 0;  // no constant: linkers may merge those
    V v{};
    Kept() : Some(&type) {}
  };
  template <class V>
  class Loan {
    std::atomic<Some*>& from_;
    Kept<V>* taken_;

   public:
    explicit Loan(std::atomic<Some*>& from) : from_(from), taken_(nullptr) {
      Some* const kept = from_.exchange(nullptr, std::memory_order_acquire);
      if (kept != nullptr && kept->type == &Kept<V>::type) {
        taken_ = static_cast<Kept<V>*>(kept);
      } else {
        delete kept;
        taken_ = new Kept<V>;
      }
    }
    Loan(const Loan&) = delete;
    ~Loan() { delete from_.exchange(taken_, std::memory_order_acq_rel); }
    Kept<V>* operator->() { return taken_; }
  };

  mutable std::atomic<Some*> kept_ = nullptr;
};

}  // namespace descent::inline v0

#endif  // DESCENT_CORE_WORKSPACE_HPP
