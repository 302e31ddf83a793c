"""Standard errors against formulas on paper, and a contrast's gradient against calculus."""

from dataclasses import replace

import numpy as np
import pytest

from offline_rl.ope.bootstrap import Resamples
from offline_rl.ope.contrast import Contrast
from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.estimators.named_estimators import from_name
from offline_rl.ope.evaluated_policies import Evaluation
from offline_rl.ope.evaluation import evaluate
from offline_rl.ope.intervals.linearization import resampled_standard_errors, standard_error
from tests.offline_rl.ope.worlds import World

IPS, SNIPS = from_name("ips"), from_name("snips")

N = 80


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """80 rounds of 30 users in two segments, two policies."""
    rng = np.random.default_rng(0)
    world = World()
    columns = {"cluster": rng.integers(0, 30, N), "segment": np.sort(rng.integers(0, 2, N))}
    log = world.log(N, seed=4)
    policies = {
        "new": replace(log, **columns),
        "other": replace(log, **columns, evaluation_prob=np.sqrt(log.evaluation_prob) / 2),
    }
    return evaluate(policies, [IPS, SNIPS, from_name("sndr")], n_resamples=40, seed=2)


def contrast(evaluation: Evaluation, e: int, *, less_other: bool = False) -> Contrast:
    other = evaluation.places[1][e] if less_other else None
    return Contrast.of(evaluation.estimators[e], evaluation.places[0][e], other)


@pytest.mark.parametrize("e", range(2))
@pytest.mark.parametrize("row", [0, 1, 2])
def test_it_is_the_delta_method_of_a_ratio(evaluation: Evaluation, e: int, row: int) -> None:
    log, place = evaluation.log, evaluation.places[0][e]
    _, of_cluster = log.clusters_of(row)
    b, a = of_cluster[:, place].T
    u = (a - a.sum() / b.sum() * b) / b.sum()
    c = log.cells.n_clusters
    expected = np.sqrt(c / (c - 1) * (u**2).sum())
    assert standard_error(log, contrast(evaluation, e), row) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("e", range(3))
@pytest.mark.parametrize("less_other", [False, True])
def test_it_is_close_to_the_jackknife(evaluation: Evaluation, e: int, less_other: bool) -> None:
    log, asked = evaluation.log, contrast(evaluation, e, less_other=less_other)
    _, of_cluster = log.clusters_of(0)
    left_out = asked.value(log.sums[0] - of_cluster)
    c = len(left_out)
    jackknife = np.sqrt((c - 1) / c * ((left_out - left_out.mean()) ** 2).sum())
    assert standard_error(log, asked, 0) == pytest.approx(jackknife, rel=0.12)


def test_a_resample_has_the_standard_error_of_its_repeated_clusters(evaluation: Evaluation) -> None:
    log = evaluation.log
    contrasts = [contrast(evaluation, e, less_other=less) for e in range(3) for less in (False, True)]
    errors = resampled_standard_errors(log, contrasts, [0, 2])
    counts = np.concatenate(list(log.resamples.counts()), axis=1)
    for r, row in enumerate([0, 2]):
        clusters, of_cluster = log.clusters_of(row)
        for b in (0, 17, 39):
            repeated = np.repeat(of_cluster, counts[clusters][:, b].astype(int), axis=0)
            n = log.cells.n_clusters
            for c, asked in enumerate(contrasts):
                scale = np.sqrt((of_cluster**2).sum(axis=0))
                u = repeated[:, asked.columns] @ asked.gradient(repeated.sum(axis=0), scale)
                expected = np.sqrt(((u**2).sum() - u.sum() ** 2 / n) * n / (n - 1))
                assert errors[c, r, b] == pytest.approx(expected, rel=1e-6)


def test_the_counts_are_those_of_the_evaluation(evaluation: Evaluation) -> None:
    assert evaluation.log.resamples == Resamples(evaluation.log.cells.n_clusters, 40, 2)
    asked = contrast(evaluation, 1)
    assert np.array_equal(
        asked.value(evaluation.log.resampled()[:, 0]), evaluation.resampled[0, 1, 0], equal_nan=True
    )


@pytest.mark.parametrize("estimator", [IPS, SNIPS], ids=lambda e: e.name)
def test_gradient_of_a_ratio(estimator: Estimator) -> None:
    sums = np.array([[4.0, 7.0, 2.0], [5.0, 7.0, -1.0]])
    one = Contrast.of(estimator, np.array([0, 2]))
    expected = np.column_stack([-sums[:, 2] / sums[:, 0] ** 2, 1 / sums[:, 0]])
    assert np.allclose(one.gradient(sums, np.array([2.0, 1.0, 1.0])), expected, rtol=1e-5)
    assert np.array_equal(one.value(sums), sums[:, 2] / sums[:, 0])


def test_a_policy_less_itself_has_no_error(evaluation: Evaluation) -> None:
    place = evaluation.places[0][1]
    itself = Contrast.of(SNIPS, place, place)
    assert standard_error(evaluation.log, itself, 0) == 0
    assert (resampled_standard_errors(evaluation.log, [itself], [0]) == 0).all()
