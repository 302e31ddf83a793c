"""How a log's users grow with its days, and how much their repeated rounds inflate a variance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from offline_rl.ope.records import Floats

MONTH = 28
"""Days after which returning users are counted, where they are given as a number: four whole weeks."""

_LENGTHS = (1, 2, 4, 7, 14, MONTH, 2 * MONTH, 4 * MONTH, 8 * MONTH, 13 * MONTH)


@dataclass(frozen=True)
class Window:
    """Mean of all windows of this many days.

    users: distinct users. rounds_per_user: Σ n² / Σ n over users, how many rounds the user of a round has.
    design_effect: Σ_u (Σ_i e)² / Σ_i e² with e = r − V, the factor by which users inflate the variance of
    the mean reward V (Kish 1965; Donner & Klar 2000; the delta method of Deng et al. 2018 for Σ r / Σ n).
    """

    days: int
    users: float
    rounds_per_user: float
    design_effect: float


@dataclass(frozen=True)
class UserGrowth:
    """Windows of ascending lengths; beyond the longest, growth is assumed to go on.

    The design effect is 1 + (m − 1) ρ for m rounds per user of intraclass correlation ρ. Users who keep
    coming have m = a + b · days, so beyond the log it goes on along the straight line between the shortest
    window and the longest. Where users leave for good it grows less, so the line asks for too many days
    rather than too few. Distinct users go on along the power law of the last two windows.

    Two windows: 100 users with 2 rounds each on a day; in 3 days 150 users, whose rounds are more alike.

    >>> growth = UserGrowth((Window(1, 100, 2, 1.2), Window(3, 150, 4, 1.6)))
    >>> growth.design_effect([1, 2, 3, 5]).round(6).tolist()
    [1.2, 1.4, 1.6, 2.0]
    >>> round(growth.users(9)), round(growth.slope, 6)
    (225, 0.2)
    """

    windows: tuple[Window, ...]

    @classmethod
    def of_numbers(
        cls, users_per_day: float, rounds_per_user: float, correlation: float, users_in_a_month: float | None
    ) -> Self:
        """Return the growth that a few numbers imply, for all users alike.

        rounds_per_user: on a day with any. correlation: ρ. users_in_a_month: distinct users of MONTH days,
        from users_per_day to MONTH times as many; None where every day's users are taken for new ones.
        Between and beyond, distinct users follow the power law through both numbers (Heaps' law).

        Raises ValueError for numbers that no shop has.

        >>> growth = UserGrowth.of_numbers(100, 2, 0.1, users_in_a_month=100)
        >>> growth.design_effect([1, 28]).round(6).tolist(), round(growth.users(28))
        ([1.1, 6.5], 100)
        """
        if users_per_day <= 0 or rounds_per_user <= 0:
            raise ValueError(
                f"{users_per_day:g} users a day with {rounds_per_user:g} rounds each make no traffic: both "
                "are more than 0."
            )
        if not 0 <= correlation <= 1:
            raise ValueError(f"a correlation lies between 0 and 1, and is not {correlation:g}.")
        if users_in_a_month is not None and not 1 <= users_in_a_month / users_per_day <= MONTH:
            raise ValueError(
                f"users of {MONTH} days are at least those of a day, {users_per_day:g}, and at most {MONTH} "
                f"times as many, not {users_in_a_month:g}."
            )
        grown = users_in_a_month if users_in_a_month is not None else MONTH * users_per_day
        exponent = float(np.log(grown / users_per_day) / np.log(MONTH))
        windows = []
        for days in _LENGTHS:
            users = users_per_day * days**exponent
            size = users_per_day * rounds_per_user * days / users
            windows.append(Window(days, users, size, 1 + max(size - 1, 0.0) * correlation))
        return cls(tuple(windows))

    def design_effect(self, days: ArrayLike) -> Floats:
        """Return the design effect after each number of days, at least 1; shape of days.

        It never falls with days: where a longer window seems to have less, that is the noise of the log.
        """
        at, effects = self._days, self._effects
        asked = np.asarray(days, dtype=float)
        beyond = np.maximum(asked - at[-1], 0.0)
        return np.asarray(np.interp(asked, at, effects) + self.slope * beyond)

    def users(self, days: float) -> float:
        """Return the distinct users of this many days."""
        at, users = np.log(self._days), np.log([window.users for window in self.windows])
        exponent = (users[-1] - users[-2]) / (at[-1] - at[-2]) if len(at) > 1 else 1.0
        beyond = max(float(np.log(days)) - at[-1], 0.0)
        return float(np.exp(np.interp(np.log(days), at, users) + np.clip(exponent, 0.0, 1.0) * beyond))

    @property
    def slope(self) -> float:
        """What a day beyond the longest window adds to the design effect; 0 where there is one window."""
        at, effects = self._days, self._effects
        return float((effects[-1] - effects[0]) / (at[-1] - at[0])) if len(at) > 1 else 0.0

    @property
    def longest(self) -> int:
        """Days of the longest window: beyond it all is assumed."""
        return self.windows[-1].days

    @property
    def correlation(self) -> float:
        """Intraclass correlation ρ of a user's rounds on one day, as in 1 + (m − 1) ρ; 0 for one round each.

        >>> round(UserGrowth((Window(1, 100, 3, 1.2),)).correlation, 6)
        0.1
        """
        first = self.windows[0]
        others = first.rounds_per_user - 1
        return min(1.0, (float(self._effects[0]) - 1) / others) if others > 0 else 0.0

    def scaled(self, *, users: float = 1.0, rounds_per_user: float = 1.0) -> "UserGrowth":
        """Return the same shop with this many times the users, and rounds of each."""
        return UserGrowth(
            tuple(
                replace(
                    window,
                    users=window.users * users,
                    rounds_per_user=window.rounds_per_user * rounds_per_user,
                    design_effect=1 + (effect - 1) * rounds_per_user,
                )
                for window, effect in zip(self.windows, self._effects.tolist(), strict=True)
            )
        )

    @property
    def _days(self) -> Floats:
        return np.array([window.days for window in self.windows], dtype=float)

    @property
    def _effects(self) -> Floats:
        found: Sequence[float] = [max(1.0, window.design_effect) for window in self.windows]
        return np.maximum.accumulate(np.array(found))
