"""Similarity of items: on paper, against the formula on a full table, and within its bound of memory."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.interactions import DAY, Interactions
from offline_rl.item_to_item import similarity as module
from offline_rl.item_to_item.history import capped_histories
from offline_rl.item_to_item.settings import ItemToItemSettings, Normalization
from offline_rl.item_to_item.similarity import similarity
from tests.offline_rl.ranking.worlds import clustered_shop, log, logs

# Users 0 and 1 have items 0 and 1, user 2 has items 0 and 2; nothing fades at the moment of the acts.
SHOP = log((0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0), (2, 0, 0), (2, 2, 0), n_items=4)
# Each user has two items, so x = 2 ** -0.25 and each shared user counts 2 ** -0.5.
SHARED = 1 / sqrt(2)


@pytest.mark.parametrize("normalization", ["cosine", "conditional"])
def test_a_shop_of_three_users_on_paper(normalization: Normalization) -> None:
    found = similarity(SHOP, 0, ItemToItemSettings(shrinkage=0.0, normalization=normalization)).toarray()

    # Of the neighbors of item 0, item 1 has two shared users of 3 and 2, and item 2 one of 3 and 1.
    to_one, to_two = (2 / sqrt(6), 1 / sqrt(3)) if normalization == "cosine" else (2 / 3, 1 / 3)
    total = to_one + to_two
    assert found == pytest.approx(
        np.array([[0, to_one / total, to_two / total, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    )


def test_what_few_users_share_is_left_to_popularity() -> None:
    found = similarity(SHOP, 0, ItemToItemSettings(shrinkage=3.0)).toarray()

    assert found[2].sum() == pytest.approx(SHARED / (SHARED + 3))
    assert found[0].sum() == pytest.approx(3 * SHARED / (3 * SHARED + 3))
    assert found[0, 1] / found[0, 2] > 2 / sqrt(6) * sqrt(3), "the pair with one user is drawn down"


def full_table(acts: Interactions, now: int, settings: ItemToItemSettings) -> np.ndarray:
    """The formula of the module, entry by entry on a full table."""
    x = np.zeros((acts.n_users, acts.n_items))
    age = (now - acts.moment) / DAY
    faded = acts.weight / acts.weight.mean() * 0.5 ** (age / settings.pair_half_life_days)
    for user, item, value in zip(acts.user, acts.item, faded, strict=True):
        x[user, item] = max(x[user, item], value)
    x /= np.maximum((x > 0).sum(axis=1, keepdims=True), 1) ** 0.25
    c = x.T @ x
    found = np.zeros_like(c)
    for i in range(acts.n_items):
        others = [j for j in range(acts.n_items) if j != i and c[i, j] > 0]
        by = {"cosine": lambda j, i=i: sqrt(c[i, i] * c[j, j]), "conditional": lambda j, i=i: c[i, i]}
        k = {
            j: c[i, j] / by[settings.normalization](j) * c[i, j] / (c[i, j] + settings.shrinkage)
            for j in others
        }
        kept = sorted(others, key=lambda j, k=k: (-k[j], j))[: settings.neighbors]
        support = sum(c[i, j] for j in kept)
        for j in kept:
            found[i, j] = k[j] / sum(k[o] for o in kept) * support / (support + settings.shrinkage)
    return found


@given(logs(), st.sampled_from([0.0, 2.0]), st.sampled_from(["cosine", "conditional"]))
def test_it_is_the_formula_on_a_full_table(acts: Interactions, shrinkage: float, form: Normalization) -> None:
    settings = ItemToItemSettings(shrinkage=shrinkage, normalization=form, pair_half_life_days=4.0)

    found = similarity(acts, 10 * DAY, settings).toarray()

    assert found == pytest.approx(full_table(acts, 10 * DAY, settings))
    assert (found.sum(axis=1) <= 1 + 1e-12).all()
    assert not found.diagonal().any()


@given(logs(), st.randoms())
def test_the_order_of_a_file_changes_no_bit(acts: Interactions, random: object) -> None:
    order = np.arange(acts.n)
    random.shuffle(order)  # type: ignore[attr-defined]
    columns = (acts.user[order], acts.item[order], acts.weight[order], acts.moment[order])
    shuffled = Interactions(*columns, acts.n_users, acts.n_items, acts.purchases[order])

    one, other = (similarity(log_, 10 * DAY, ItemToItemSettings()) for log_ in (acts, shuffled))

    assert one.data.tobytes() == other.data.tobytes()
    assert one.indices.tolist() == other.indices.tolist()


def test_of_equal_neighbors_the_lower_number_stays() -> None:
    acts = log(*((0, item, 0) for item in range(5)))

    found = similarity(acts, 0, ItemToItemSettings(neighbors=2))

    assert [row.nonzero()[0].tolist() for row in found.toarray()] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_no_row_has_more_neighbors_and_no_block_more_entries_than_allowed(monkeypatch) -> None:
    acts = clustered_shop()
    whole = similarity(acts, 40 * DAY, ItemToItemSettings(neighbors=7))
    sizes = []
    neighbors = module._neighbors
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 100)
    monkeypatch.setattr(
        module, "_neighbors", lambda rows, *given: sizes.append(rows.nnz) or neighbors(rows, *given)
    )

    in_blocks = similarity(acts, 40 * DAY, ItemToItemSettings(neighbors=7))

    assert len(sizes) > 10
    assert max(sizes) <= 100
    assert int(np.diff(in_blocks.indptr).max()) == 7
    assert in_blocks.data.tobytes() == whole.data.tobytes()


def test_a_robot_has_no_more_pairs_than_its_cap_allows() -> None:
    n = 2000
    robot = log(*((0, item, item / n) for item in range(n)), (1, 0, 1), (1, 1, 1))

    cut = capped_histories(robot, 50)
    found = similarity(cut.acts, 2 * DAY, ItemToItemSettings(neighbors=1000))

    assert (cut.n_cut, cut.n_users_cut) == (n - 50, 1)
    assert cut.acts.item[:50].tolist() == list(range(n - 50, n)), "the most recent ones are kept"
    assert found.nnz == 50 * 49 + 2


def test_a_log_without_items_has_no_similarity() -> None:
    none = np.zeros(0, dtype=np.int64)

    assert similarity(Interactions(none, none, np.zeros(0), none, 0, 0), 0, ItemToItemSettings()).shape == (
        0,
        0,
    )


def test_acts_too_old_to_count_are_no_evidence() -> None:
    old = log((0, 0, 0), (0, 1, 0))

    assert similarity(old, 10_000 * DAY, ItemToItemSettings(pair_half_life_days=5.0)).nnz == 0
