from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_rl.ope.estimators.shrinkage import clipped, optimistic, sub_gaussian, switched
from offline_rl.ope.records import Floats

# Each with hyperparameters from the most to the least shrinkage; the last changes nothing.
FAMILIES = [
    (clipped, [0.5, 2.0, 10.0, np.inf]),
    (switched, [0.0, 2.0, 10.0, np.inf]),
    (optimistic, [0.0, 1.0, 100.0, np.inf]),
    (sub_gaussian, [1.0, 0.5, 0.01, 0.0]),
]
WEIGHTS = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1).map(np.array)


@pytest.mark.parametrize(("shrink", "numbers"), FAMILIES, ids=[f.__name__ for f, _ in FAMILIES])
@given(weight=WEIGHTS)
def test_less_shrinkage_leaves_more_of_a_large_weight(
    shrink: Callable[[Floats, float], Floats], numbers: list[float], weight: Floats
) -> None:
    large = np.concatenate([[0.0], weight[weight >= 1]])
    for more, less in pairwise(numbers):
        assert (shrink(large, more) <= shrink(large, less)).all()
    assert (shrink(weight, numbers[-1]) == weight).all()


@pytest.mark.parametrize(("shrink", "numbers"), FAMILIES, ids=[f.__name__ for f, _ in FAMILIES])
@given(weight=WEIGHTS)
def test_no_weight_turns_negative_and_none_appears(
    shrink: Callable[[Floats, float], Floats], numbers: list[float], weight: Floats
) -> None:
    for number in numbers:
        shrunken = shrink(weight, number)
        assert (shrunken >= 0).all()
        assert (shrunken[weight == 0] == 0).all()


@given(weight=WEIGHTS)
def test_shrunken_weights_keep_their_bounds(weight: Floats) -> None:
    assert (optimistic(weight, 16.0) <= 2.0 * (1 + 1e-15)).all()
    assert (sub_gaussian(weight, 0.1) <= 10.0 * (1 + 1e-15)).all()


def test_the_optimistic_weight_peaks_at_the_root_of_lambda() -> None:
    assert optimistic(np.array([3.9, 4.0, 4.1]), 16.0).argmax() == 1


def test_all_weights_at_lambda_1_are_one_or_none() -> None:
    assert sub_gaussian(np.array([0.0, 0.01, 7.0]), 1.0) == pytest.approx([0.0, 1.0, 1.0])
