import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import UsageError
from features.segments import fit_clusters, fit_segments

ROWS = pl.DataFrame({"surface": ["a"] * 5 + ["b"] * 2, "device": ["p"] * 4 + ["q"] + ["p", "q"]})


def test_large_combinations_stand_and_small_ones_join_their_neighbors():
    found = fit_segments(ROWS, ["surface", "device"], min_rounds=2)
    assert found.assign(ROWS).to_list() == (
        ["surface=a|device=p"] * 4 + ["everyone_else"] + ["surface=b|device=*"] * 2
    )


def test_a_merge_is_told_with_its_reason():
    merges = {merge.segment_id: merge for merge in fit_segments(ROWS, ["surface", "device"], 2).merges}
    assert merges["surface=b|device=p"].merged_into == "surface=b|device=*"
    assert (merges["surface=b|device=p"].n_rounds, merges["surface=b|device=p"].min_rounds) == (1, 2)


def test_values_never_seen_fall_to_the_nearest_segment_that_exists():
    found = fit_segments(ROWS, ["surface", "device"], min_rounds=2)
    tomorrow = pl.DataFrame({"surface": ["b", "z", "a"], "device": ["new", "p", None]})
    assert found.assign(tomorrow).to_list() == ["surface=b|device=*", "everyone_else", "everyone_else"]


def test_without_traits_everyone_is_one_segment():
    assert fit_segments(ROWS, [], 2).assign(ROWS).to_list() == ["everyone"] * ROWS.height


def test_an_unknown_trait_is_refused_with_the_choices():
    with pytest.raises(UsageError, match=r"asks for city.*Choose from: device, surface"):
        fit_segments(ROWS, ["city"], 2)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("pqr"), st.sampled_from("xy")), min_size=1),
    st.integers(1, 8),
)
def test_only_the_rest_may_be_smaller_than_asked(rows, min_rounds):
    frame = pl.DataFrame(rows, schema=["one", "two", "three"], orient="row")
    assigned = fit_segments(frame, ["one", "two", "three"], min_rounds).assign(frame)
    sizes = dict(assigned.value_counts().iter_rows())
    assert sum(sizes.values()) == frame.height
    assert all(size >= min_rounds for name, size in sizes.items() if name != "everyone_else")


def test_clusters_separate_light_from_heavy_users_and_are_named_by_size():
    history = pl.DataFrame({"n_clicks_before": [40.0] * 50 + [0.0] * 49})
    clusters = fit_clusters(history, clusters=2, seed=0)
    assert clusters.assign(pl.DataFrame({"n_clicks_before": [0.0, 1.0, 30.0]})).to_list() == ["0", "0", "1"]
    again = fit_clusters(history, clusters=2, seed=0)
    assert clusters.assign(history).to_list() == again.assign(history).to_list()


def test_more_clusters_than_kinds_of_history_gives_as_many_as_there_are():
    history = pl.DataFrame({"n_clicks_before": [0.0, 0.0, 3.0, 3.0]})
    assert fit_clusters(history, clusters=5, seed=0).assign(history).n_unique() == 2
