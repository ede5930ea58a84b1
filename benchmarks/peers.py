#!/usr/bin/env python3
"""The problems of finite_sums.cpp by scikit-learn (every solver it has for them, liblinear among them) and libtorch, in one
run with descent: seconds until (f - f*)/f* is 1e-3 and 1e-6.

    benchmarks/peers.py BINARY     BINARY: finite_sums_native, built as benchmarks/run does

Needs Debian's python3-sklearn; python3-torch where it is there. Each solver is run with more and more iterations (or a
smaller and smaller tolerance) until it is within the target, and the time of that run counts, the best of three.
"""
import struct
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn import linear_model

warnings.filterwarnings("ignore")
TARGETS = (1e-3, 1e-6)


def objective(logistic, X, y, penalty, w):
    z = X @ w
    losses = np.logaddexp(0, z) - y * z if logistic else 0.5 * (z - y) ** 2
    return losses.mean() + 0.5 * penalty * (w @ w)


def by_sklearn(logistic, X, y, penalty):
    """Name, and a function of a budget that returns w, with the budgets."""
    n = len(y)
    iterations = [1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 50, 80, 120]
    common = dict(fit_intercept=False)

    def fit(model):
        return lambda budget: np.ravel(model(budget).fit(X, y).coef_)

    if logistic:
        for solver in ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga", "liblinear"):
            yield "sklearn " + solver, iterations, fit(
                lambda k, s=solver: linear_model.LogisticRegression(
                    C=1 / (penalty * n), solver=s, tol=1e-14, max_iter=k, **common))
        yield "sklearn SGD", iterations, fit(lambda k: linear_model.SGDClassifier(
            loss="log_loss", alpha=penalty, max_iter=k, tol=None, **common))
        yield "sklearn SGD, averaged", iterations, fit(lambda k: linear_model.SGDClassifier(
            loss="log_loss", alpha=penalty, max_iter=k, tol=None, average=True, **common))
    else:
        for solver in ("cholesky", "svd"):
            yield "sklearn " + solver, [1], fit(
                lambda k, s=solver: linear_model.Ridge(alpha=penalty * n, solver=s, **common))
        for solver in ("sparse_cg", "lsqr", "sag", "saga"):
            yield "sklearn " + solver, iterations, fit(
                lambda k, s=solver: linear_model.Ridge(
                    alpha=penalty * n, solver=s, tol=1e-14, max_iter=k, **common))
        yield "sklearn coordinate descent", iterations, fit(
            lambda k: linear_model.ElasticNet(alpha=penalty, l1_ratio=0, tol=0, max_iter=k, **common))
        yield "sklearn SGD", iterations, fit(lambda k: linear_model.SGDRegressor(
            alpha=penalty, max_iter=k, tol=None, **common))
        yield "sklearn SGD, averaged", iterations, fit(lambda k: linear_model.SGDRegressor(
            alpha=penalty, max_iter=k, tol=None, average=True, **common))


def by_torch(logistic, X, y, penalty):
    try:
        import torch
    except ImportError:
        return
    X, y = torch.from_numpy(X), torch.from_numpy(y)

    def loss(w):
        z = X @ w
        each = torch.nn.functional.softplus(z) - y * z if logistic else 0.5 * (z - y) ** 2
        return each.mean() + 0.5 * penalty * (w @ w)

    def lbfgs(k):
        w = torch.zeros(X.shape[1], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([w], max_iter=k, history_size=10, tolerance_grad=0,
                                      tolerance_change=0, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            value = loss(w)
            value.backward()
            return value
        optimizer.step(closure)
        return w.detach().numpy()

    yield "libtorch LBFGS", [3, 5, 7, 10, 14, 20, 30, 50, 80], lbfgs


def main():
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run([sys.argv[1], "--quick", "--fits", "--write", file.name], check=True)
        for logistic in (False, True):
            n, d, penalty, optimum, *ours = struct.unpack("6d", file.read(48))
            n, d = int(n), int(d)
            X = np.frombuffer(file.read(8 * n * d)).reshape(n, d).copy()
            y = np.frombuffer(file.read(8 * n)).copy()
            best, lowest = float("inf"), optimum
            print(f"\n{'logistic' if logistic else 'linear'} regression, n = {n}, d = {d}")
            print(f"{'seconds to':<34} {'1e-3':>12} {'1e-6':>12}")
            for solvers in (by_sklearn, by_torch):
                for name, budgets, run in solvers(logistic, X, y, penalty):
                    cells, k = [], 0
                    for target in TARGETS:
                        while k < len(budgets):
                            value = objective(logistic, X, y, penalty, run(budgets[k]))
                            lowest = min(lowest, value)
                            if value / optimum - 1 <= target:
                                break
                            k += 1
                        if k == len(budgets):
                            cells.append("never")
                            continue
                        times = []
                        for _ in range(3):
                            start = time.perf_counter()
                            run(budgets[k])
                            times.append(time.perf_counter() - start)
                        cells.append(f"{min(times):.4f}")
                        if target == TARGETS[-1]:
                            best = min(best, min(times))
                    print(f"{name:<34} {cells[0]:>12} {cells[1]:>12}", flush=True)
            ratio, gap = ours[1] / best, optimum / lowest - 1
            kind = "logistic" if logistic else "linear"
            print(f"verdict: {kind}, to 1e-6, of scikit-learn and libtorch <= 0.25: "
                  f"{'met' if ratio <= 0.25 else 'MISSED'}, {ratio:.2f}")
            print(f"verdict: {kind}, nobody's optimum is lower by more than 1e-9: "
                  f"{'met' if gap <= 1e-9 else 'MISSED'}, {gap:.1e}")


if __name__ == "__main__":
    main()
