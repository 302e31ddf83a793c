"""What item-to-item similarity may be tuned by."""

from dataclasses import dataclass
from typing import Literal, get_args

Normalization = Literal["cosine", "conditional"]


@dataclass(frozen=True)
class ItemToItemSettings:
    """Settings of one item-to-item ranker; days are half-lives, after which an act counts half.

    popularity_half_life_days: of acts in the list that stands behind similarity.
    pair_half_life_days: of acts in the similarity of items, by their age at the moment of fitting.
    history_half_life_days: of acts in a user's own history, by their age at the user's last act: a taste does
        not fade because its owner stays away.
    normalization: cosine, or the conditional probability of the other item, which favors popular ones.
    shrinkage: shared users' acts that a similarity must be believed against, see `similarity`; at least 0.
    history_cap: most recent acts of a user that count at all.
    neighbors: most similar items that are kept of each item.
    blend: acts of popularity beside a user's own, so that a short history is mostly popularity; above 0.
    repeats: share of an act that speaks for the same item again, 0..1; the rest speaks for its neighbors.
    leaves_out_bought: whether nobody is shown an item that he has bought.

    Raises ValueError naming the setting that lies outside its range.
    """

    popularity_half_life_days: float = 14.0
    pair_half_life_days: float = 30.0
    history_half_life_days: float = 180.0
    normalization: Normalization = "cosine"
    shrinkage: float = 10.0
    history_cap: int = 200
    neighbors: int = 50
    blend: float = 10.0
    repeats: float = 0.5
    leaves_out_bought: bool = False

    def __post_init__(self) -> None:
        above = ("popularity_half_life_days", "pair_half_life_days", "history_half_life_days", "blend")
        for name in above:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name):g}: give a number above 0.")
        for name in ("history_cap", "neighbors"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give at least 1.")
        if not self.shrinkage >= 0:
            raise ValueError(f"shrinkage is {self.shrinkage:g}: give a number of at least 0.")
        if not 0 <= self.repeats <= 1:
            raise ValueError(f"repeats is {self.repeats:g}: give a share from 0 to 1.")
        if self.normalization not in get_args(Normalization):
            raise ValueError(
                f"normalization is {self.normalization!r}: give one of {', '.join(get_args(Normalization))}."
            )
