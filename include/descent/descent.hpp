// descent: gradient-based optimizers on Eigen. Everything that needs Eigen/Core alone, one line each.
#ifndef DESCENT_DESCENT_HPP
#define DESCENT_DESCENT_HPP

#include "descent/minimize.hpp"  // the driver: minimize(objective, x0, optimizer, options, observers...)

// Optimizers
#include "descent/optimizer/adabelief.hpp"  // AdaBelief: the denominator is the gradient's surprise
#include "descent/optimizer/adabound.hpp"  // AdaBound and AMSBound: rates between bounds that close in
#include "descent/optimizer/adadelta.hpp"  // Adadelta: steps in the units of the parameters
#include "descent/optimizer/adafactor.hpp"  // Adafactor: a second moment of rows and columns, relative steps
#include "descent/optimizer/adagrad.hpp"      // Adagrad: a rate for each coefficient, which shrinks
#include "descent/optimizer/adam.hpp"         // Adam and AMSGrad
#include "descent/optimizer/adamax.hpp"       // AdaMax: Adam with the infinity norm
#include "descent/optimizer/adamw.hpp"        // Adam with decoupled weight decay
#include "descent/optimizer/adan.hpp"         // Adan: Nesterov's momentum of gradient differences
#include "descent/optimizer/ademamix.hpp"     // AdEMAMix: Adam with a second, slow average
#include "descent/optimizer/adopt.hpp"        // ADOPT: Adam whose denominator is a step old
#include "descent/optimizer/asgd.hpp"         // ASGD: SGD and the average of its iterates
#include "descent/optimizer/dadapt_adam.hpp"  // D-Adaptation: Adam that finds its rate
#include "descent/optimizer/gradient_descent.hpp"  // full gradients, with momentum or Nesterov's form
#include "descent/optimizer/lamb.hpp"      // LAMB: Adam's direction, as long as the parameters
#include "descent/optimizer/lars.hpp"      // LARS: SGD, as long as a fraction of the parameters
#include "descent/optimizer/lion.hpp"      // Lion: the sign of an interpolated momentum
#include "descent/optimizer/madgrad.hpp"   // MADGRAD: dual averaging by the cube root
#include "descent/optimizer/nadam.hpp"     // NAdam: Adam with Nesterov's momentum
#include "descent/optimizer/novograd.hpp"  // NovoGrad: gradients by the average of their norm
#include "descent/optimizer/optimistic_descent.hpp"  // adds how the gradient changed, for saddle points
#include "descent/optimizer/polyak_step.hpp"         // Polyak step: the rate comes from the loss
#include "descent/optimizer/prodigy.hpp"             // Prodigy: Adam that finds its rate sooner
#include "descent/optimizer/qhadam.hpp"              // QHAdam: Adam with quasi-hyperbolic moments
#include "descent/optimizer/qhm.hpp"      // QHM: a weighted mean of gradient and momentum
#include "descent/optimizer/radam.hpp"    // RAdam: Adam that waits with its denominator
#include "descent/optimizer/rmsprop.hpp"  // RMSprop, centered and with momentum
#include "descent/optimizer/rprop.hpp"  // Rprop: step sizes that follow the signs of full gradients
#include "descent/optimizer/schedule_free_adamw.hpp"  // AdamW without a schedule, averaged
#include "descent/optimizer/schedule_free_sgd.hpp"    // SGD without a schedule, averaged
#include "descent/optimizer/sgd.hpp"  // mini-batches, with momentum, dampening, Nesterov, weight decay
#include "descent/optimizer/sign_descent.hpp"  // the sign of the gradient, or of its momentum (Signum)
#include "descent/optimizer/sm3.hpp"           // SM3: Adagrad with momentum, its form for vectors
#include "descent/optimizer/sparse_sgd.hpp"  // SparseSGD: sparse gradients, L2 and L1 applied lazily, and exactly
#include "descent/optimizer/yogi.hpp"  // Yogi: a second moment that changes by bounded amounts

// Solvers, which choose the points where they evaluate
#include "descent/solver/barzilai_borwein.hpp"    // gradient steps of quasi-Newton length
#include "descent/solver/conjugate_gradient.hpp"  // Polak and Ribière, Hager and Zhang
#include "descent/solver/coordinate_descent.hpp"  // L1 and L2 penalties, one coefficient at a time
#include "descent/solver/lbfgs.hpp"               // limited-memory BFGS
#include "descent/solver/lbfgsb.hpp"              // the same within bounds
#include "descent/solver/proximal_gradient.hpp"   // ISTA and FISTA
#include "descent/solver/saga.hpp"   // SAGA and SAG: variance reduction by a table of gradients
#include "descent/solver/sarah.hpp"  // SARAH: variance reduction by recursive gradients
#include "descent/solver/sdca.hpp"   // SDCA: dual coordinate ascent for linear models with a ridge
#include "descent/solver/steepest_descent.hpp"  // gradient descent with a line search
#include "descent/solver/svrg.hpp"              // SVRG: variance reduction by snapshots
#include "descent/solver/truncated_newton.hpp"  // conjugate gradients within a trust region
// ... and their line searches
#include "descent/line_search/armijo.hpp"        // backtracking
#include "descent/line_search/fixed_step.hpp"    // none
#include "descent/line_search/hager_zhang.hpp"   // approximate Wolfe conditions
#include "descent/line_search/strong_wolfe.hpp"  // strong Wolfe conditions, cubic interpolation

// Transforms, to compose an optimizer of one's own with chain(...): of the gradient
#include "descent/transform/accumulate.hpp"  // one step for the mean of k gradients
#include "descent/transform/add_decayed_weights.hpp"  // weight decay, coupled or decoupled by its place, masked
#include "descent/transform/add_noise.hpp"            // normal noise that fades
#include "descent/transform/centralize.hpp"           // takes the mean away
#include "descent/transform/clip_adaptively.hpp"      // bounds its norm by that of the parameters
#include "descent/transform/clip_by_block_norm.hpp"   // bounds the norm of each block
#include "descent/transform/clip_by_global_norm.hpp"  // bounds its norm
#include "descent/transform/clip_by_value.hpp"        // bounds each coefficient
#include "descent/transform/rollback_if_not_finite.hpp"  // goes back on NaN or infinity
#include "descent/transform/scheduled.hpp"               // hyper-parameters that follow schedules
#include "descent/transform/skip_if_not_finite.hpp"      // takes no step on NaN or infinity
#include "descent/transform/stop_if_not_finite.hpp"      // takes no step any more
// ... to a direction
#include "descent/transform/ema.hpp"                   // moving average, corrected
#include "descent/transform/scale_by_adam.hpp"         // Adam's direction
#include "descent/transform/scale_by_trust_ratio.hpp"  // as long as the parameters
#include "descent/transform/trace.hpp"                 // momentum
// ... to a step
#include "descent/transform/scale_by_learning_rate.hpp"  // makes the step
#include "descent/transform/schedule_free.hpp"  // makes it, and an average that needs no schedule
// ... of the new parameters
#include "descent/transform/lookahead.hpp"           // k steps forward, one back
#include "descent/transform/project_on_ball.hpp"     // norm
#include "descent/transform/project_on_box.hpp"      // bounds
#include "descent/transform/project_on_simplex.hpp"  // simplex and l1-ball
#include "descent/transform/proximal.hpp"            // L1, L2, elastic net
#include "descent/transform/swa.hpp"                 // plain mean beside the parameters
#include "descent/transform/weight_ema.hpp"          // moving average beside the parameters

// Schedules
#include "descent/schedule/constant.hpp"           // a number, for composing
#include "descent/schedule/cosine_decay.hpp"       // half a cosine
#include "descent/schedule/cosine_restarts.hpp"    // half a cosine again and again
#include "descent/schedule/cyclic.hpp"             // up and down in lines, again and again
#include "descent/schedule/exponential_decay.hpp"  // the same factor at every update
#include "descent/schedule/inverse_sqrt.hpp"       // a linear rise, then 1/√t
#include "descent/schedule/joined.hpp"      // one schedule after another, or a list of constants
#include "descent/schedule/linear.hpp"      // a line, up or down
#include "descent/schedule/multi_step.hpp"  // a drop at each milestone
#include "descent/schedule/one_cycle.hpp"   // up to a large rate, down to a tiny one
#include "descent/schedule/polynomial_decay.hpp"     // a power of what is left
#include "descent/schedule/product.hpp"              // schedules that multiply each other
#include "descent/schedule/step_decay.hpp"           // a drop every so many updates
#include "descent/schedule/warmup_cosine.hpp"        // a linear rise, then half a cosine
#include "descent/schedule/warmup_stable_decay.hpp"  // a linear rise, a plateau, a decay

// Objectives
#include "descent/objective/callable.hpp"        // objective(f) of a callable (x, g) -> loss
#include "descent/objective/check_gradient.hpp"  // compares a gradient with differences of the loss
#include "descent/objective/elastic_net.hpp"  // adds λ ‖w‖₁, or that and λ/2 ‖w‖²: l1, elastic_net
#include "descent/objective/finite_difference.hpp"  // gradients by central differences, within bounds
#include "descent/objective/huber_regression.hpp"     // least squares that bears outliers
#include "descent/objective/importance.hpp"           // samples drawn with given probabilities
#include "descent/objective/l2.hpp"                   // adds λ/2 ‖w‖²
#include "descent/objective/linear_regression.hpp"    // 1/(2n) ‖Xw − y‖²
#include "descent/objective/linear_svm.hpp"           // two classes, (squared) hinge loss
#include "descent/objective/logistic_regression.hpp"  // two classes, log-loss
#include "descent/objective/poisson_regression.hpp"   // counts
#include "descent/objective/quantile_regression.hpp"  // a quantile instead of the mean
#include "descent/objective/sam.hpp"  // sharpness-aware: the gradient at the worst point nearby
#include "descent/objective/softmax_regression.hpp"  // K classes, log-loss
#include "descent/objective/standardized.hpp"  // a linear model by features of mean 0, variance 1
#include "descent/objective/subset.hpp"  // some samples of a finite sum, for training and validation

// Observers
#include "descent/observe/early_stopping.hpp"     // stops when the validation loss no longer falls
#include "descent/observe/history.hpp"            // every iteration or epoch, as CSV
#include "descent/observe/progress_bar.hpp"       // a line on the terminal
#include "descent/observe/reduce_on_plateau.hpp"  // a smaller rate when the loss no longer falls

#endif  // DESCENT_DESCENT_HPP
