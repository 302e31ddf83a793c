"""The attributes of a person in the users log besides region and device, and their standardized numbers."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.simulator.settings import WorldSettings
from features.simulator.streams import Stream, generator

AGE_BANDS = ("18-24", "25-34", "35-49", "50-64", "65-plus")

_AGE_SHARES = (0.14, 0.26, 0.3, 0.2, 0.1)
_LARGEST_HOUSEHOLD = 5
_MORE_IN_HOUSEHOLD = 0.35


@dataclass(frozen=True)
class Attributes:
    """U users.

    age_band: int64[U], position in AGE_BANDS.
    tenure_years: float64[U], years from signup to the first night, one decimal; 0 for newcomers.
    price_sense: float64[U], share of past purchases made at a reduced price, two decimals.
    household_size: int64[U], 1 to 5 people.
    """

    age_band: NDArray[np.int64]
    tenure_years: NDArray[np.float64]
    price_sense: NDArray[np.float64]
    household_size: NDArray[np.int64]

    @property
    def levels(self) -> NDArray[np.float64]:
        """float64[U, 4]: age, tenure, price sense and household, each about mean 0 and spread 1, within ±3.

        Made from the logged values, so that a reader of the logs has exactly the same numbers.
        """
        return np.stack(
            [
                (self.age_band - 1.86) / 1.17,
                (self.tenure_years - 1.0) / 0.58,
                (self.price_sense - 0.5) / 0.22,
                (self.household_size - 2.4) / 0.95,
            ],
            axis=1,
        )

    def json(self) -> pl.Series:
        """Return one JSON object per user, as in the users log."""
        return pl.DataFrame(
            {
                "age_band": np.array(AGE_BANDS)[self.age_band],
                "tenure_years": self.tenure_years,
                "price_sense": self.price_sense,
                "household_size": self.household_size,
            }
        ).select(pl.struct(pl.all()).struct.json_encode())["age_band"]


def draw_attributes(settings: WorldSettings, tenure_years: NDArray[np.float64]) -> Attributes:
    """Make the attributes of people.

    tenure_years: float64[U], years from signup to the first night.
    """
    random = generator(settings.seed, Stream.ATTRIBUTES)
    n = len(tenure_years)
    return Attributes(
        age_band=random.choice(len(AGE_BANDS), n, p=_AGE_SHARES),
        tenure_years=tenure_years.round(1),
        price_sense=random.beta(2.0, 2.0, n).round(2),
        household_size=1 + random.binomial(_LARGEST_HOUSEHOLD - 1, _MORE_IN_HOUSEHOLD, n),
    )
