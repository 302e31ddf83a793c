"""Means of several estimators and the variances of these means, from sums alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.records import EvaluationRounds, Floats
from offline_rl.ope.sums import Cells, ratio


def contributions(candidates: Sequence[Estimator], rounds: EvaluationRounds) -> Floats:
    """Return what each round adds to each candidate's mean, x [n, L]: the value of candidate l is mean(x_l).

    Raises ValueError for an estimator that is not a mean of rounds, such as a self-normalized one: its value
    has no variance of this form.
    """
    columns = []
    for candidate in candidates:
        terms = candidate.terms(rounds)
        if terms.shape[1] != 2 or not (terms[:, 0] == 1).all():
            raise ValueError(
                f"estimator {candidate.name} is not a mean over rounds, so that this rule can't choose its "
                "hyperparameter. Tune ips, dr, switch_dr, dr_os, subgaussian_ips or subgaussian_dr."
            )
        columns.append(terms[:, 1])
    if not columns:
        raise ValueError("there is no hyperparameter to choose from: give at least one.")
    return np.column_stack(columns)


@dataclass(frozen=True, eq=False)
class MeanMoments:
    """Means θ [..., L], variances of the means [..., L] and how many clusters they rest on [...].

    With S_c = Σ_{i∈c} x_i and m_c rounds in cluster c, θ = Σ S_c / Σ m_c and Var θ = Σ (S_c − θ m_c)² / n² =
    (Σ S_c² − 2 θ Σ S_c m_c + θ² Σ m_c²) / n², the linearized variance of a ratio (Cochran 1977, eq. 6.9).
    Where each round is a cluster it is Var(x) / n.
    """

    mean: Floats
    variance: Floats
    n_clusters: Floats

    @staticmethod
    def terms(x: Floats, rounds: EvaluationRounds) -> Floats:
        """Return terms of each round, shape [n, 3 + 3L]: 1, m, 1/m, then x, x S and x m of each candidate.

        Round i of cluster c adds x_i S_c, so that a cluster adds S_c²: what seems to need cluster sums adds
        up by rounds after all. A cluster in two segments or two shards counts as two here. Without clusters
        most columns are equal, and `distinct_columns` keeps them once.
        """
        cells = Cells.of(rounds.segment, rounds.cluster)
        size = np.bincount(cells.cell_of_round, minlength=cells.n_cells)[cells.cell_of_round].astype(float)
        cluster_sum = cells.sums(x)[cells.cell_of_round]
        return np.column_stack(
            [np.ones(rounds.n), size, 1 / size, x, x * cluster_sum, x * size[:, np.newaxis]]
        )

    @classmethod
    def of_sums(cls, sums: Floats) -> "MeanMoments":
        """Return the moments of summed terms [..., 3 + 3L]; NaN where there is no round."""
        n, squared_size, n_clusters = (sums[..., [column]] for column in range(3))
        total, squares, products = np.split(sums[..., 3:], 3, axis=-1)
        mean = ratio(total, n)
        spread = squares - 2 * mean * products + mean**2 * squared_size
        # Twenty rounds of a cluster add 1/20 each, which is 1 but for the last place.
        return cls(mean, ratio(np.maximum(spread, 0.0), n**2), np.rint(n_clusters[..., 0]))
