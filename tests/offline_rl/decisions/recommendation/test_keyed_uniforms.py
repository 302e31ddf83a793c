"""Numbers that belong to their key."""

import hashlib
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from offline_rl.decisions.recommendation.keyed_uniforms import keyed_uniforms


@given(st.lists(st.text(max_size=20), min_size=1, max_size=10), st.text(max_size=10), st.randoms())
def test_a_number_follows_its_key_in_any_order(keys: list[str], salt: str, random: Random) -> None:
    order = list(range(len(keys)))
    random.shuffle(order)
    numbers = keyed_uniforms(keys, 3, salt=salt)
    shuffled = keyed_uniforms([keys[i] for i in order], 3, salt=salt)
    assert (shuffled == numbers[order]).all()
    assert ((numbers >= 0) & (numbers < 1)).all()


def test_numbers_are_uniform_and_columns_unrelated() -> None:
    numbers = keyed_uniforms((f"user-{i}" for i in range(20_000)), 3, salt="1/2026-01-05")
    for column in numbers.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers.T) - np.eye(3)).max() < 0.03


def test_the_number_is_that_of_the_written_rule() -> None:
    digest = hashlib.blake2b(b"7\x1fann", digest_size=8).digest()
    expected = (int.from_bytes(digest, "little") >> 11) / 2**53
    assert keyed_uniforms(["ann"], 1, salt="7").tolist() == [[expected]]


def test_no_keys_no_numbers() -> None:
    assert keyed_uniforms([], 3, salt="x").shape == (0, 3)


@pytest.mark.parametrize("n_numbers", [0, 9])
def test_more_than_one_hash_is_refused(n_numbers: int) -> None:
    with pytest.raises(ValueError, match="one hash holds"):
        keyed_uniforms(["a"], n_numbers, salt="x")
