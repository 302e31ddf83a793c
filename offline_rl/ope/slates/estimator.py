"""Interface of slate estimators: terms per row, and a value computed from their sums."""

from typing import Protocol

from offline_rl.ope.contrast import Valued
from offline_rl.ope.records import Floats
from offline_rl.ope.slates.records import Propensities, SlateRounds


class SlateEstimator(Valued, Protocol):
    """Numbers travel row → sums → value, as in `estimators.estimator`; a row is a slate and a slot.

    The value is what a slate earns, summed over its slots. Sums over any set of whole slates are of the same
    kind: shards of a log, users, segments and resamples.
    """

    def seen(self, rounds: SlateRounds) -> Propensities:
        """Return the probabilities whose ratio is the weight of each row: of its item, slot or slate."""
        ...

    def terms(self, rounds: SlateRounds) -> Floats:
        """Return the terms of each row, shape [n, k]; k may depend on n_slots, not on the rows."""
        ...
