"""What is known of a shop: its log's numbers, and those that the command was given in their place."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from features.contracts.findings import Finding
from features.warehouse.traffic import LoggedTraffic, WindowSums
from offline_rl.power.horizon import Traffic
from offline_rl.power.user_growth import MONTH, UserGrowth, Window

MIN_EFFECTIVE = 100
"""Effective rounds that the reward of uniformly shown items must rest on to be named."""


@dataclass(frozen=True)
class GivenNumbers:
    """Numbers of the command line, each None where it was not given.

    rate: share of rounds with a reward. rounds_per_user: of a user's day. correlation: of a user's rounds.
    """

    rate: float | None = None
    users_per_day: float | None = None
    rounds_per_user: float | None = None
    correlation: float | None = None
    users_in_a_month: float | None = None
    items: int | None = None
    slots: int | None = None


@dataclass(frozen=True)
class KnownNumbers:
    """The numbers of a plan.

    traffic: None where something is lacking. area: whose rounds they are, None for users' days, and where
    nothing was logged. items: None where nothing can be planned off-policy. days: of the log, with first_day
    and last_day. assumed, lacking: what the numbers rest on, and which are missing. rounds_for_money: see
    `LoggedTraffic`.
    """

    traffic: Traffic | None
    users_per_day: float
    rounds_per_user: float
    is_user_days: bool
    area: str | None
    items: int | None
    slots: int
    uniform_rate: float | None
    second_moment: float | None
    days: tuple[date, date] | None
    assumed: tuple[Finding, ...]
    lacking: tuple[Finding, ...]
    rounds_for_money: float | None = None

    @property
    def n_days(self) -> int | None:
        """Days of the log; None without one."""
        return None if self.days is None else (self.days[1] - self.days[0]).days + 1


def known_numbers(shop: str, logged: LoggedTraffic | None, given: GivenNumbers) -> KnownNumbers:
    """Put the numbers together; those that were given count before those of the log.

    Raises ValueError for numbers that no shop has.
    """
    is_user_days = logged is not None and logged.area is None and given.rounds_per_user is None
    rate = _rate(logged, given)
    users, rounds = _users_per_day(logged, given), _rounds_per_user(logged, given)
    lacking = [Finding(code, shop) for code in _lacking(rate, users, rounds)]
    available = _whole(given.items, None if logged is None else logged.n_available)
    has_items = not is_user_days and available is not None and available >= 2
    if not has_items:
        lacking.append(Finding("items_missing" if not is_user_days else "rounds_missing", shop))
        lacking += [Finding("items_missing", shop)] if is_user_days and available is None else []
    propensities = logged.propensities if logged is not None else None
    known = KnownNumbers(
        traffic=None,
        users_per_day=users or 0.0,
        rounds_per_user=rounds or 0.0,
        is_user_days=is_user_days,
        area=None if logged is None else logged.area,
        items=available if has_items else None,
        slots=_whole(given.slots, None if logged is None else logged.n_slots) or 1,
        uniform_rate=_uniform_rate(logged, given),
        second_moment=None if propensities is None else propensities.second_moment,
        days=None if logged is None else (logged.first_day, logged.last_day),
        assumed=tuple(Finding(code, shop, numbers) for code, numbers in _assumed(logged, given)),
        lacking=tuple(lacking),
        rounds_for_money=None if logged is None else logged.rounds_for_money,
    )
    if rate is None or users is None or rounds is None:
        return known
    return replace(known, traffic=Traffic(rate, users * rounds, _growth(logged, given, users, rounds)))


def _lacking(rate: float | None, users: float | None, rounds: float | None) -> Iterator[str]:
    if rate is None:
        yield "rate_missing"
    if users is None:
        yield "users_missing"
    if rounds is None:
        yield "rounds_missing"


def _has_buyers_alone(logged: LoggedTraffic) -> bool:
    """Whether every logged day of a user has a reward: users without one are not in the log."""
    return logged.area is None and logged.rewards == logged.n_rounds


def _rate(logged: LoggedTraffic | None, given: GivenNumbers) -> float | None:
    if given.rate is not None or logged is None:
        return given.rate
    rewards, rounds = logged.rewards, float(logged.n_rounds)
    if logged.area is None:
        # Those who don't buy are in the number of users that was given, where the log has buyers alone.
        rounds = logged.n_days * (given.users_per_day or 0.0) if _has_buyers_alone(logged) else rounds
        rounds *= given.rounds_per_user or 1.0
    return rewards / rounds if 0 < rewards < rounds else None


def _users_per_day(logged: LoggedTraffic | None, given: GivenNumbers) -> float | None:
    if given.users_per_day is not None or logged is None or _has_buyers_alone(logged):
        return given.users_per_day
    day = logged.windows[0]
    return day.n_visitors / day.n_windows


def _rounds_per_user(logged: LoggedTraffic | None, given: GivenNumbers) -> float | None:
    if given.rounds_per_user is not None or logged is None:
        return given.rounds_per_user
    day = logged.windows[0]
    return day.n_rounds / day.n_visitors


def _uniform_rate(logged: LoggedTraffic | None, given: GivenNumbers) -> float | None:
    """Return what uniform items earn; not known beside a rate that is not the log's."""
    if logged is None or logged.propensities is None or given.rate is not None:
        return None
    found = logged.propensities
    return found.uniform_rate if found.effective_rounds >= MIN_EFFECTIVE else None


def _whole(given: int | None, logged: float | None) -> int | None:
    return given if given is not None or logged is None else round(logged)


def _is_measured(logged: LoggedTraffic | None, given: GivenNumbers) -> bool:
    """Whether the growth of users is that of the log, and not of numbers that were given."""
    is_logged = logged is not None and not _has_buyers_alone(logged)
    return is_logged and given.correlation is None and given.users_in_a_month is None


def _growth(logged: LoggedTraffic | None, given: GivenNumbers, users: float, rounds: float) -> UserGrowth:
    if logged is None or _has_buyers_alone(logged):
        return UserGrowth.of_numbers(users, rounds, given.correlation or 0.0, given.users_in_a_month)
    rate = logged.rewards / logged.n_rounds
    growth = UserGrowth(tuple(_window(sums, rate) for sums in logged.windows))
    if not _is_measured(logged, given):
        correlation = given.correlation if given.correlation is not None else growth.correlation
        # Days of different traffic can make a month's users seem a little more than those of all its days.
        month = users * min(MONTH, max(1.0, growth.users(MONTH) / growth.users(1)))
        returning = given.users_in_a_month if given.users_in_a_month is not None else month
        return UserGrowth.of_numbers(users, rounds, correlation, returning)
    if logged.area is None:
        # The rewards of a day are the same, over how many rounds they may be spread.
        return growth.scaled(users=users / growth.users(1))
    day = logged.windows[0]
    return growth.scaled(
        users=users / growth.users(1), rounds_per_user=rounds / (day.n_rounds / day.n_visitors)
    )


def _window(sums: WindowSums, rate: float) -> Window:
    of_rounds = rate * (1 - rate) * sums.n_rounds
    return Window(
        days=sums.days,
        users=sums.n_visitors / sums.n_windows,
        rounds_per_user=sums.squares / sums.n_rounds,
        design_effect=sums.between / of_rounds if of_rounds > 0 else 1.0,
    )


def _assumed(logged: LoggedTraffic | None, given: GivenNumbers) -> Iterator[tuple[str, dict[str, int]]]:
    yield "shop_stays_the_same", {}
    if logged is not None and _is_measured(logged, given):
        if logged.has_users and logged.n_days > 1:
            yield "growth_goes_on", {"n_days": logged.n_days}
        elif logged.has_users:
            yield "users_always_new", {}
        else:
            yield "no_users_in_log", {}
        if not 0 < logged.rewards < logged.n_rounds:
            # Where nobody or everybody is rewarded, users can't be seen to differ.
            yield "rounds_of_users_independent", {}
    else:
        if given.users_in_a_month is None and (logged is None or _has_buyers_alone(logged)):
            yield "users_always_new", {}
        if given.correlation is None and (logged is None or _has_buyers_alone(logged)):
            yield "rounds_of_users_independent", {}
    if logged is not None and logged.area is None and given.rounds_per_user is None:
        yield "user_days_counted", {}
    if (
        logged is not None
        and logged.area is None
        and given.rounds_per_user is not None
        and given.rate is None
    ):
        yield "one_reward_per_user_day", {}
