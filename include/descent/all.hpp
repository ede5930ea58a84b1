// all: the umbrella, and what needs more than it: more of Eigen than Eigen/Core, or threads (which older C libraries want to
// be linked with: CMake's Threads::Threads).
#ifndef DESCENT_ALL_HPP
#define DESCENT_ALL_HPP

#include "descent/descent.hpp"  // everything that needs Eigen/Core alone

#include "descent/objective/autodiff.hpp"  // autodiff(f): gradients by Eigen's AutoDiffScalar (unsupported modules)

#include "descent/engine/team.hpp"  // Team: threads that work through the parts of one job together
#include "descent/objective/all_cores.hpp"  // all_cores(model): the sums of a linear model by all cores, to the bit

#include "descent/solver/hogwild.hpp"  // Hogwild: stochastic gradients on linear models, by all cores at once

#include "descent/tune/cross_validation.hpp"  // k_folds, cross_validate: the loss of samples left out
#include "descent/tune/learning_rate_range_test.hpp"  // the loss while the rate grows
#include "descent/tune/search.hpp"  // grid_search, random_search: hyper-parameters by trial, on all cores

#endif  // DESCENT_ALL_HPP
