"""Interface of off-policy estimators: terms per round, and a value computed from their sums."""

from typing import Protocol

from offline_rl.ope.records import EvaluationRounds, Floats


class Estimator(Protocol):
    """Numbers travel row → sums → value.

    `value(terms(rounds).sum(axis=0))` is the estimate. Because terms add, sums of shards, clusters, segments
    and bootstrap resamples are all of the same kind, and one `value` serves them all; counts are among the
    terms where a mean needs them.
    """

    @property
    def rests_on_model(self) -> bool:
        """True where rewards enter through q̂ alone, so that no interval can show the model's error."""
        ...

    @property
    def name(self) -> str:
        """The spelling that configuration, tables and `from_name` share, such as `ips:10`."""
        ...

    def terms(self, rounds: EvaluationRounds) -> Floats:
        """Return the terms of each round, shape [n, k]."""
        ...

    def value(self, sums: Floats) -> Floats:
        """Return the policy value of sums [..., k], shape [...]; NaN where the sums identify nothing."""
        ...
