"""Small logs of clicks and purchases for tests of rankers."""

import numpy as np
from hypothesis import strategies as st

from offline_rl.interactions import DAY, Interactions


def log(*rows: tuple[int, int, float], n_users: int = 0, n_items: int = 0, **columns: object) -> Interactions:
    """Return a log of rows (user, item, day) of weight 1."""
    user, item, day = (np.array(column) for column in zip(*rows, strict=True))
    moment = np.round(day * DAY).astype(np.int64)
    n_users, n_items = n_users or int(user.max()) + 1, n_items or int(item.max()) + 1
    return Interactions(user, item, np.ones(len(user)), moment, n_users, n_items, **columns)  # type: ignore[arg-type]


def clustered_shop(n_users: int = 160, n_groups: int = 4, days: int = 40, seed: int = 0) -> Interactions:
    """Return a shop whose users each buy from the ten items of one group, now and then from another's."""
    rng = np.random.default_rng(seed)
    n = n_users * 12
    user = rng.integers(0, n_users, n)
    strayed = rng.random(n) < 0.1
    group = np.where(strayed, rng.integers(0, n_groups, n), user % n_groups)
    item = group * 10 + rng.integers(0, 10, n)
    moment = rng.integers(0, days * DAY, n)
    return Interactions(user, item, np.ones(n), moment, n_users, n_groups * 10)


@st.composite
def logs(draw: st.DrawFn, n_users: int = 5, n_items: int = 6, most: int = 25) -> Interactions:
    """Draw a log of few users and items, many of whose acts tie."""
    row = st.tuples(
        st.integers(0, n_users - 1),
        st.integers(0, n_items - 1),
        st.integers(0, 9),
        st.sampled_from([1.0, 4.0]),
    )
    rows = draw(st.lists(row, min_size=1, max_size=most))
    user, item, day, weight = (np.array(column) for column in zip(*rows, strict=True))
    bought = np.array(draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    return Interactions(user, item, weight, day * DAY, n_users, n_items, bought)
