"""Which estimator to believe: a choice that is stated before the data are looked at, then made by the data.

Nobody knows an estimator's error on the log at hand, since the policy was never run. But the log can be split
so that one part looks as if the policy had been run, and the rest as if another policy had logged it. On the
rest the candidates estimate, on the first part they are marked.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from offline_rl.ope.estimators.estimator import Estimator
from offline_rl.ope.records import EvaluationRounds, Floats

LARGEST_SHARE = 0.5
"""No round goes to the evaluation part more often than this, so that weights at most double in the rest."""

FEWEST_MARKING_ROUNDS = 20
"""An evaluation part with fewer rounds on average marks nobody."""


@dataclass(frozen=True)
class Selection:
    """The chosen estimator and why.

    squared_errors: what each candidate's mean squared error on such a log is believed to be, in the reward's
    unit squared, in the order of the candidates; one close to zero can come out below it. marking_noise: the
    variance of the evaluation part's own mean, which was taken off all of them: differences far smaller than
    it are luck. stated: the procedure in a sentence.
    """

    chosen: str
    candidates: tuple[str, ...]
    squared_errors: tuple[float, ...]
    marking_noise: float
    stated: str


@dataclass(frozen=True)
class PASIF:
    """Policy-adaptive estimator selection by importance fitting, all of it decided before the log is opened.

    For each of n_splits, round i goes to the evaluation part with probability ρ_i = min(½, s w_i), where s
    makes the evaluation part the asked share of the log. Then

    * the evaluation part is a sample of the evaluation policy by rejection control: with weights v = w / ρ,
      which are all equal but for the largest w, V_on = Σ v r / Σ v is what the policy earned there;
    * the rest was logged by a policy with the importance weights w (1 − ρ̄) / (1 − ρ), so every candidate can
      estimate the same value from it.

    The two parts are independent, as rounds of a log are. A candidate's error is the mean over splits of
    (V_on − V̂)², less the variance of V_on. The candidate with the least is chosen.

    What is simpler than in the paper. There ρ(x, a) is a neural network, fitted so that the weights between
    the two pseudo policies come close to w; here ρ is a function of w alone. So nothing is needed but the
    columns of the rounds, and the pseudo evaluation policy is π_e itself. The price: the weights of the rest
    are w (1 − ρ̄) / (1 − ρ), up to twice the largest w, so that errors of candidates on weights come out too
    large, up to twice in the tests' worlds and most for a clip near the largest weight; and q_policy is
    averaged over the contexts of the rest, which are those of the log only where no s w exceeds ½.

    What it can't do. It believes the propensities and the support: assess those first. Rounds of one user may
    fall into both parts, which hides errors that users share. It can't see a bias smaller than the noise of
    weighted rewards: there the choice costs up to 0.9 times the mean squared error of SNIPS more than the
    best of seven candidates would. An interval of the chosen one doesn't know that it was chosen.

    Raises ValueError for fewer than two candidates or two of one name, fewer than one split, or a share
    outside (0, ½).
    Source: Udagawa, Kiyohara, Narita, Saito & Tateno 2023, "Policy-adaptive estimator selection for
    off-policy evaluation"; rejection control: Liu, Chen & Wong 1998.
    """

    candidates: tuple[Estimator, ...]
    seed: int
    n_splits: int = 20
    evaluation_share: float = 0.1

    def __post_init__(self) -> None:
        if len(set(self.names)) < max(2, len(self.candidates)):
            raise ValueError(
                f"there is nothing to choose among {', '.join(self.names) or 'no candidates'}: "
                "name at least two different estimators."
            )
        if self.n_splits < 1 or not 0 < self.evaluation_share < LARGEST_SHARE:
            raise ValueError(
                f"{self.n_splits} splits with an evaluation share of {self.evaluation_share:g}: "
                f"give at least one split and a share between 0 and {LARGEST_SHARE:g}."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the candidates."""
        return tuple(candidate.name for candidate in self.candidates)

    @property
    def stated(self) -> str:
        """The procedure in a sentence, to be written down before the log is opened.

        >>> from offline_rl.ope.estimators.named_estimators import from_name
        >>> PASIF((from_name("snips"), from_name("dr")), seed=7).stated
        'Chosen among snips, dr by PAS-IF with 20 splits, evaluation share 0.1 and seed 7.'
        """
        return (
            f"Chosen among {', '.join(self.names)} by PAS-IF with {self.n_splits} splits, "
            f"evaluation share {self.evaluation_share:g} and seed {self.seed}."
        )

    def select(self, rounds: EvaluationRounds) -> Selection:
        """Choose an estimator for the policy of these rounds.

        Candidates on other weights than w and the density ratio (`mips` and its kin, several loggers) have no
        counterpart on the split log and are refused.

        Raises ValueError where the log has too little overlap to split, where a candidate lacks a column, or
        where no candidate has a value.
        """
        share = split_shares(rounds.weight, self.evaluation_share)
        if share.sum() < FEWEST_MARKING_ROUNDS:
            raise ValueError(
                f"{share.sum():.1f} of {rounds.n:,} rounds would form the evaluation part, fewer than "
                f"{FEWEST_MARKING_ROUNDS}: the log is too small, or hardly shows what the policy does."
            )
        rng = np.random.default_rng(self.seed)
        marks = [rng.random(rounds.n) < share for _ in range(self.n_splits)]
        earned, noise = _on_policy(rounds, share, marks)
        rest = _logged_by_the_rest(rounds, share)
        estimated = np.array([_estimates(candidate, rest, marks) for candidate in self.candidates])
        errors = np.square(estimated - earned).mean(axis=1) - noise.mean()
        if np.isnan(errors).all():
            raise ValueError(f"none of {', '.join(self.names)} has a value on this log: nothing to choose.")
        return Selection(
            chosen=self.names[int(np.nanargmin(errors))],
            candidates=self.names,
            squared_errors=tuple(errors.tolist()),
            marking_noise=float(noise.mean()),
            stated=self.stated,
        )


def split_shares(weight: Floats, evaluation_share: float) -> Floats:
    """Probabilities ρ = min(½, s w) of going to the evaluation part, whose mean is the share, shape [n].

    Where too few rounds have weight for that, all of these get ½.

    >>> split_shares(np.array([0.0, 1.0, 1.0, 8.0]), 0.2).round(3).tolist()
    [0.0, 0.15, 0.15, 0.5]
    """
    ascending = np.sort(weight[weight > 0])
    wanted, n = evaluation_share * len(weight), len(ascending)
    if LARGEST_SHARE * n <= wanted:
        return np.where(weight > 0, LARGEST_SHARE, 0.0)
    # With the j largest at the cap the others must make up the rest: s_j Σ_{i ≤ n−j} w_i = wanted − j / 2.
    # The right j is the first that leaves no other above the cap.
    totals = np.cumsum(ascending)[::-1]
    scale = (wanted - LARGEST_SHARE * np.arange(n)) / totals
    s = float(scale[int(np.argmax(scale * ascending[::-1] <= LARGEST_SHARE))])
    return np.minimum(LARGEST_SHARE, s * weight)


def _on_policy(
    rounds: EvaluationRounds, share: Floats, marks: list[NDArray[np.bool_]]
) -> tuple[Floats, Floats]:
    """What the policy earned in the evaluation part of each split, and its variance, both [splits]."""
    even = np.divide(rounds.weight, share, out=np.zeros(rounds.n), where=share > 0)
    earned, noise = [], []
    for marked in marks:
        v, reward = even[marked], rounds.reward[marked]
        total = v.sum()
        mean = v @ reward / total if total > 0 else np.nan
        earned.append(mean)
        noise.append(np.square(v * (reward - mean)).sum() / total**2 if total > 0 else np.nan)
    return np.array(earned), np.array(noise)


def _logged_by_the_rest(rounds: EvaluationRounds, share: Floats) -> EvaluationRounds:
    """All rounds as the policy of the rest would have logged them: weights are w (1 − ρ̄) / (1 − ρ)."""
    kept, all_kept = 1 - share, float(1 - share.mean())
    ratio = rounds.density_ratio
    return replace(
        rounds,
        propensity=rounds.propensity * kept,
        evaluation_prob=rounds.evaluation_prob * all_kept,
        density_ratio=None if ratio is None else ratio * all_kept / kept,
        marginal_weight=None,
        logger=None,
        balanced_propensity=None,
    )


def _estimates(candidate: Estimator, rest: EvaluationRounds, marks: list[NDArray[np.bool_]]) -> Floats:
    """The candidate's value on the rest of each split, shape [splits]."""
    # Terms of a round do not depend on the split it is in, and sums add: one reading serves all splits.
    terms = candidate.terms(rest)
    return candidate.value(np.stack([(~marked).astype(np.float64) @ terms for marked in marks]))
