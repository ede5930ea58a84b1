// all_cores: a linear model whose sums are formed by all cores.
//
// Chunks of samples are shared out to threads, each chunk's loss and gradient is kept by itself, and then they are added in
// order: the bits are those of the model on one thread, whatever their number. (Sums by OpenMP or by atomic additions, as in
// most peers, differ from run to run.)
#ifndef DESCENT_OBJECTIVE_ALL_CORES_HPP
#define DESCENT_OBJECTIVE_ALL_CORES_HPP

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "descent/core/objective.hpp"
#include "descent/core/stored.hpp"
#include "descent/core/workspace.hpp"
#include "descent/engine/decorated.hpp"
#include "descent/engine/linear_rows.hpp"
#include "descent/engine/team.hpp"

namespace descent::inline v0 {

/// How many threads work.
struct AllCoresOptions {
  int threads = 0;  ///< the calling one included, in [1, ∞); 0: one for each processor
};

/// The loss and gradient of the model inside, to the bit, in less time. Mini-batches are shared out in pieces, too, if they
/// are large (more than 512 samples, of sparse data those that are worth it). Keeps a gradient for each chunk, 1/4096 of the
/// size of dense data. Threads sleep while nothing is evaluated; copies share them. May be evaluated by several threads at
/// once, which take turns. What the model says of its samples, this says.
template <class Held>
class AllCores : public Decorated<AllCores<Held>, Held> {
  using Base = Decorated<AllCores<Held>, Held>;
  using Index = Eigen::Index;

  template <class V>
  struct Chunk {
    V gradient;
    double loss = 0;
  };

  std::shared_ptr<Team> team_;
  Workspace chunks_;

  // As LinearModel::mean(), in the same order.
  template <bool Gradient, class V, class Samples>
  double mean(const V& w, Samples samples, V* g) const {
    const Index n = samples.size(), size = this->inner().chunk(samples);
    const Index count = (n + size - 1) / size;
    return chunks_.template lend<std::vector<Chunk<V>>>([&](std::vector<Chunk<V>>& chunks) {
      if (static_cast<Index>(chunks.size()) < count) chunks.resize(static_cast<std::size_t>(count));
      team_->run(count, [&](Index k, int) {
        Chunk<V>& chunk = chunks[static_cast<std::size_t>(k)];
        const Samples part = samples.part(k * size, (std::min)(size, n - k * size));
        if constexpr (Gradient) {
          chunk.gradient.setZero(w.rows(), w.cols());
          chunk.loss = this->inner().add(w, part, chunk.gradient);
        } else {
          chunk.loss = this->inner().add(w, part);
        }
      });
      double loss = chunks[0].loss;
      if constexpr (Gradient) *g = chunks[0].gradient;
      for (std::size_t k = 1; k < static_cast<std::size_t>(count); ++k) {
        loss += chunks[k].loss;
        if constexpr (Gradient) *g += chunks[k].gradient;
      }
      if constexpr (Gradient) {
        *g *= static_cast<typename V::Scalar>(1 / static_cast<double>(n));
      }
      return loss / static_cast<double>(n);
    });
  }
  // Whether there is more than one chunk.
  template <class Samples>
  bool shared(Samples samples) const {
    return team_->size() > 1 && samples.size() > this->inner().chunk(samples);
  }
  Rows all() const { return {0, this->inner().size()}; }

 public:
  AllCores(Held inner, std::shared_ptr<Team> team)
      : Base(std::move(inner)), team_(std::move(team)) {}

  template <class V>
  requires HasLoss<typename Base::Inner, V>
  double loss(const V& w) const {
    return shared(all()) ? mean<false, V>(w, all(), nullptr) : this->inner().loss(w);
  }
  template <class V>
  requires HasGradient<typename Base::Inner, V>
  void gradient(const V& w, V& g) const { (void)loss_and_gradient(w, g); }
  template <class V>
  requires HasLossAndGradient<typename Base::Inner, V>
  double loss_and_gradient(const V& w, V& g) const {
    return shared(all()) ? mean<true>(w, all(), &g) : this->inner().loss_and_gradient(w, g);
  }

  template <class V>
  requires HasBatchLossAndGradient<typename Base::Inner, V>
  double loss(const V& w, Batch batch) const {
    const Picked picked{batch};
    return shared(picked) ? mean<false, V>(w, picked, nullptr) : this->inner().loss(w, batch);
  }
  template <class V>
  requires HasBatchGradient<typename Base::Inner, V>
  void gradient(const V& w, Batch batch, V& g) const { (void)loss_and_gradient(w, batch, g); }
  template <class V>
  requires HasBatchLossAndGradient<typename Base::Inner, V>
  double loss_and_gradient(const V& w, Batch batch, V& g) const {
    const Picked picked{batch};
    return shared(picked) ? mean<true>(w, picked, &g)
                          : this->inner().loss_and_gradient(w, batch, g);
  }

  /// The model.
  const auto& linear_part() const { return this->inner().linear_part(); }
  /// Nothing is added to it.
  static constexpr double ridge() { return 0; }
  /// The number of threads.
  int threads() const { return team_->size(); }
};

/// What is required: a model that adds up any samples.
template <class F>
concept ShareableModel = requires(const F& f, Rows rows, Picked picked) {
  f.chunk(rows);
  f.chunk(picked);
  f.linear_part();
};

/// Shares the sums of a linear model among threads, and comes directly around it: l2(all_cores(LogisticRegression(X, y)),
/// 1e-4). The model is referred to where it is an lvalue and owned where it is an rvalue. Throws `std::invalid_argument` for a
/// negative number of threads, `std::system_error` where the system has no more of them.
template <class F>
auto all_cores(F&& model, const AllCoresOptions& options = {}) {
  static_assert(ShareableModel<std::remove_cvref_t<F>>,
                "all_cores comes directly around a linear model: l2(all_cores(model), lambda), not "
                "all_cores(l2(model, lambda))");
  return AllCores<Stored<F&&>>(Stored<F&&>(std::forward<F>(model)),
                               std::make_shared<Team>(options.threads, "all_cores"));
}

}  // namespace descent::inline v0

#endif  // DESCENT_OBJECTIVE_ALL_CORES_HPP
