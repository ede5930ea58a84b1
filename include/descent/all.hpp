// all: the umbrella, and the leaves that need more of Eigen than Eigen/Core.
#ifndef DESCENT_ALL_HPP
#define DESCENT_ALL_HPP

#include "descent/descent.hpp"  // everything that needs Eigen/Core alone

#include "descent/objective/autodiff.hpp"  // autodiff(f): gradients by Eigen's AutoDiffScalar (unsupported modules)

#endif  // DESCENT_ALL_HPP
