"""What every slate estimator is: terms per row, whose sums add, and a value made of the sums."""

from typing import Protocol

from offline_rl.ope.records import Floats
from offline_rl.ope.slates.records import SlateRounds


class SlateEstimator(Protocol):
    """Numbers travel row → sums → value, as in `estimators.estimator`; a row is a slate and a slot.

    The value is what a slate earns, summed over its slots. Sums over any set of whole slates are of the same
    kind: shards of a log, users, segments and resamples.
    """

    @property
    def name(self) -> str:
        """The spelling that tables and `from_name` share, such as `snrips`."""
        ...

    def weight(self, rounds: SlateRounds) -> Floats:
        """Importance weight of each row, shape [n]; its mean is 1 in every slot under full support."""
        ...

    def terms(self, rounds: SlateRounds) -> Floats:
        """Terms of each row, shape [n, k]; k may depend on n_slots, not on the rows."""
        ...

    def value(self, sums: Floats) -> Floats:
        """Policy value of sums [..., k], shape [...]; NaN where the sums identify nothing."""
        ...
