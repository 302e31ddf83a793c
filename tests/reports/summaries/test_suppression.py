from hypothesis import given
from hypothesis import strategies as st

from reports.summaries.suppression import SMALLEST_GROUP, is_hidden, shown_users, without_small_counts


@given(st.lists(st.integers(0, 200)))
def test_no_small_count_is_printed(n_users: list[int]) -> None:
    printed = shown_users(n_users)

    assert not any(words == str(n) for words, n in zip(printed, n_users, strict=True) if n < SMALLEST_GROUP)


@given(st.lists(st.integers(0, 200), min_size=2))
def test_a_printed_total_gives_no_single_count_away(n_users: list[int]) -> None:
    assert sum(is_hidden(n_users)) != 1


@given(st.lists(st.integers(SMALLEST_GROUP, 10_000)))
def test_large_groups_are_all_printed(n_users: list[int]) -> None:
    assert not any(is_hidden(n_users))


def test_a_limit_that_a_blurred_count_repeats_is_left_out() -> None:
    sentence = "x can't be judged: only 4 users, fewer than 100; only 1 users clicked, fewer than 20; ESS 5."

    assert without_small_counts(sentence) == (
        "x can't be judged: fewer than 20 users, fewer than 100; fewer than 20 users clicked; ESS 5."
    )


def test_reasons_lose_small_user_counts_and_keep_all_else() -> None:
    sentence = "3 distinct users and 12 rounds; 30 users are needed"

    assert without_small_counts(sentence) == "Fewer than 20 distinct users and 12 rounds; 30 users are needed"
