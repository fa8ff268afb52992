"""Writes bootstrap.json: percentile intervals of a mean, of a ratio of sums, and of the paired
difference of two such ratios, from scipy.stats.bootstrap; exact bounds from scipy.stats.binomtest.

Run: python tests/golden/make_bootstrap.py   (scipy, numpy; versions are stored in the file)
"""

import json
import pathlib

import numpy
import scipy
from scipy import stats

random = numpy.random.default_rng(1979)
count = 60
skewed = random.exponential(2, count).round(3)
details = random.integers(3, 15, count)
first = random.binomial(details, 0.3)
second = numpy.minimum(details, random.binomial(details, 0.1) + (first > 2))


def ratio(part, whole, axis=-1):
    return part.sum(axis=axis) / whole.sum(axis=axis)


def difference(a, b, whole, axis=-1):
    return ratio(b, whole, axis) - ratio(a, whole, axis)


def interval(data, statistic):
    result = stats.bootstrap(
        data, statistic, paired=True, vectorized=True, method="percentile", n_resamples=200_000,
        batch=10_000, rng=numpy.random.default_rng(1))
    low, high = result.confidence_interval
    return {"value": float(statistic(*data)), "interval": [float(low), float(high)],
            "standard_error": float(result.standard_error)}


content = {
    "versions": {"scipy": scipy.__version__, "numpy": numpy.__version__},
    "columns": {"skewed": skewed.tolist(), "details": details.tolist(), "first": first.tolist(),
                "second": second.tolist()},
    "mean": interval((skewed,), numpy.mean),
    "ratio": interval((first, details), ratio),
    "difference": interval((first, second, details), difference),
    "none_of": {n: float(stats.binomtest(0, n).proportion_ci().high) for n in (5, 20, 200)},
}
pathlib.Path(__file__).with_name("bootstrap.json").write_text(json.dumps(content) + "\n")
