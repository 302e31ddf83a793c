"""What users had done with items, in random logs, against a computation that looks at everything.

Forty users act and are decided for within thirty days, to the day: both often share a moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest

from features.warehouse.build import HALF_LIFE_DAYS
from features.warehouse.store import open_store
from tests.features.warehouse.touch_logs import ITEMS, NIGHT_END, START, Asker, Row, bought, did, known, shown

KINDS = ("view", "click", "add_to_cart", "order")


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    with open_store(tmp_path_factory.mktemp("touches") / "shop.duckdb") as store:
        yield Asker(store)


@dataclass(frozen=True)
class Act:
    kind: str
    at: datetime
    item: str
    user: str

    def row(self) -> Row:
        if self.kind == "order":
            return bought(self.at, self.item, self.user)
        return did(self.kind, self.at, self.item, self.user)


def draw(seed: int) -> tuple[set[Act], set[tuple[str, datetime]]]:
    """Return acts of users on the items and on what is none, and users with times of decisions."""
    rng = np.random.default_rng(seed)
    users = [f"user {number}" for number in range(40)]

    def day() -> datetime:
        return START + timedelta(days=int(rng.integers(31)))

    acts = {
        Act(rng.choice(KINDS), day(), rng.choice([*ITEMS, "a page"]), rng.choice(users)) for _ in range(500)
    }
    return acts, {(rng.choice(users), day()) for _ in range(200)}


def by_definition(acts: set[Act], user: str, moment: datetime, most_items: int) -> dict[int, list[float]]:
    past = [act for act in acts if act.user == user and act.item in ITEMS and act.at < moment]
    last = max((act.at for act in past), default=moment)
    found: dict[int, list[float]] = {}
    for place, item in enumerate(ITEMS):
        ages = {act: (last - act.at) / timedelta(days=1) for act in past if act.item == item}
        if ages:
            sums = [
                sum(2 ** (-age / HALF_LIFE_DAYS) for act, age in ages.items() if act.kind == kind)
                for kind in KINDS
            ]
            found[place] = [*sums, min(ages.values())]
    latest = sorted(found, key=lambda place: (found[place][-1], place))
    return {place: found[place] for place in sorted(latest[:most_items])}


@pytest.mark.parametrize("most_items", [1, 2, 100])
def test_it_is_what_the_definition_says(ask: Asker, most_items: int) -> None:
    acts, decisions = draw(most_items)

    touched = ask(
        *(act.row() for act in acts), *(shown(at, user) for user, at in decisions), most_items=most_items
    )

    asked = {(user, at) for user, at, _ in touched.moments.iter_rows()}
    users = {act.user for act in acts} | {user for user, _ in decisions}
    assert asked == decisions | {(user, NIGHT_END) for user in users}
    for user, at in asked:
        found, expected = known(touched, at, user), by_definition(acts, user, at, most_items)
        assert list(found) == list(expected)
        np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-6, atol=1e-6)
    # and no state that nothing asks for
    assert set(touched.moments["state"]) - {-1} == set(range(len(touched.first) - 1))


def test_what_comes_at_or_after_a_decision_changes_nothing_of_what_it_knew(ask: Asker) -> None:
    acts, _ = draw(seed=7)
    others, decisions = draw(seed=8)
    moments = dict(sorted(decisions))
    past = {act for act in acts if act.at < moments.get(act.user, START)}
    future = {act for act in others if act.at >= moments.get(act.user, START)}
    asked = [shown(at, user) for user, at in moments.items()]

    before = ask(*(act.row() for act in past), *asked, most_items=2)
    after = ask(*(act.row() for act in past | future), *asked, most_items=2)

    assert future
    assert any(known(before, at, user) for user, at in moments.items())
    for user, at in moments.items():
        assert known(after, at, user) == known(before, at, user)


def test_the_order_of_rows_changes_nothing(ask: Asker) -> None:
    acts, decisions = draw(seed=9)
    rows = [*(act.row() for act in acts), *(shown(at, user) for user, at in decisions)]

    one, other = ask(*rows, most_items=2), ask(*rows[::-1], most_items=2)

    assert one.moments.equals(other.moments)
    for name in ("first", "item", "amount"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
