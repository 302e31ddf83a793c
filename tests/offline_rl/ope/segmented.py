"""Logs of many segments in which a policy's true gain is known for each."""

from dataclasses import dataclass

import numpy as np

from offline_rl.ope.records import EvaluationRounds, Floats, Ints
from offline_rl.ope.segments.segment_estimates import SegmentEstimates

N_SEGMENTS = 60


@dataclass(frozen=True)
class SegmentedClicks:
    """A banner that the log shows now and then and the new policy shows mostly, among others of equal rate.

    rate: click rate of the other banners. logged: how often the log shows the banner; the new policy shows it
    in 3 of 4 rounds. spread: standard deviation over segments of the logarithm of its click rate over that of
    the others. harmed, harm: in the first segments its rate is lower by that share. n_users: rounds of a
    segment, half to double of it.
    """

    rate: float = 0.1
    logged: float = 0.25
    spread: float = 0.0
    harmed: int = 0
    harm: float = 0.0
    n_users: int = 600

    @property
    def weights(self) -> tuple[float, float]:
        """Importance weight of the banner, and of all others."""
        return 0.75 / self.logged, 0.25 / (1 - self.logged)

    def factors(self, rng: np.random.Generator) -> Floats:
        """Click rate of the banner over that of the others, by segment."""
        factors = rng.lognormal(0.0, self.spread, N_SEGMENTS)
        factors[: self.harmed] *= 1 - self.harm
        return factors

    def gains(self, factors: Floats) -> Floats:
        """True value of the new policy less that of the logging policy, by segment."""
        return (0.75 - self.logged) * self.rate * (factors - 1)

    def draw(self, seed: int, n_resamples: int) -> tuple[SegmentEstimates, Floats]:
        """Differences with their bootstrap resamples, and the true gains.

        IPS differences are means of (w − 1) r over users, of which there are three kinds: the banner clicked,
        another one clicked, no click. Resampling users of a segment is a multinomial draw of kinds.
        """
        rng = np.random.default_rng(seed)
        factors, n = self.factors(rng), self._sizes(rng)
        clicked = self.rate * np.column_stack([self.logged * factors, np.full(N_SEGMENTS, 1 - self.logged)])
        kinds = rng.multinomial(n, np.column_stack([clicked, 1 - clicked.sum(axis=1)]))
        terms = np.array([self.weights[0] - 1, self.weights[1] - 1, 0.0])
        again = rng.multinomial(n[:, None], (kinds / n[:, None])[:, None], (N_SEGMENTS, n_resamples))
        estimates = SegmentEstimates(
            segments=tuple(range(N_SEGMENTS)),
            value=kinds @ terms / n,
            resampled=again @ terms / n[:, None],
            n_clusters=n,
            n_informative=kinds[:, :2].sum(axis=1),
        )
        return estimates, self.gains(factors)

    def log(self, seed: int) -> tuple[dict[str, EvaluationRounds], Floats]:
        """The same world as logged rounds of both policies, a user each, and the true gains."""
        rng = np.random.default_rng(seed)
        factors, n = self.factors(rng), self._sizes(rng)
        segment = np.repeat(np.arange(N_SEGMENTS), n)
        is_banner = rng.random(len(segment)) < self.logged
        rates = self.rate * np.where(is_banner, factors[segment], 1.0)
        propensity = np.where(is_banner, self.logged, 1 - self.logged)
        columns = {
            "reward": (rng.random(len(segment)) < rates).astype(float),
            "propensity": propensity,
            "cluster": np.arange(len(segment)),
            "segment": segment,
        }
        weight = np.where(is_banner, *self.weights)
        new = EvaluationRounds(**columns, evaluation_prob=weight * propensity)
        return {"new": new, "log": EvaluationRounds.of_logging_policy(**columns)}, self.gains(factors)

    def _sizes(self, rng: np.random.Generator) -> Ints:
        return (self.n_users * 2 ** rng.uniform(-1, 1, N_SEGMENTS)).astype(np.int64)
