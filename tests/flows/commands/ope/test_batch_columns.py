"""One column of one batch: what is read, and which row is named where it can't be."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputDataError
from flows.commands.ope.batch_columns import BatchColumn

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def column(rows: list | pa.Array, kind: pa.DataType | None = None) -> BatchColumn:
    return BatchColumn(
        "log.parquet", "col", 100, rows if isinstance(rows, pa.Array) else pa.array(rows, kind)
    )


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float64()),
        pa.list_(pa.float32()),
        pa.list_(pa.int8()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float64(), 2),
    ],
)
def test_lists_of_any_kind_are_rows_by_actions(kind: pa.DataType) -> None:
    assert column([[1, 2], [3, 4]], kind).lists(None).tolist() == [[1, 2], [3, 4]]


def test_a_slice_of_a_longer_column_reads_its_own_rows() -> None:
    rows = pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).slice(1, 2)
    assert column(rows).lists(2).tolist() == [[3, 4], [5, 6]]


@given(
    rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5),
    separator=st.sampled_from([",", ", ", ";", " ; ", " ", "\n  ", "\t"]),
    brackets=st.sampled_from([("", ""), ("[", "]"), ("( ", " )")]),
)
def test_lists_written_as_text_read_back_exactly(rows, separator, brackets) -> None:
    start, end = brackets
    texts = [start + separator.join(map(repr, row)) + end for row in rows]
    assert column(texts).lists(3).tolist() == [list(row) for row in rows]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[1.0, 2.0], [1.0]], "row 101: col has 1 numbers where evaluation_probs of row 0 has 2"),
        ([[1.0, 2.0], None], "row 101: col is missing"),
        ([[1.0, 2.0], [1.0, float("nan")]], "row 101: col is nan for action 1"),
        ([[1.0, None], [1.0, 1.0]], "row 100: col is nan for action 1"),
        ([[float("inf"), -float("inf")]], "row 100: col is inf for action 0"),
        (["1 2", "1 zwei"], "row 101: col holds 'zwei', no number"),
        (["1 2", None], "row 101: col is missing"),
        ([0.5, 0.5], "column col holds double, not lists of numbers"),
        ([["a"], ["b"]], "column col holds list<item: string>, not lists"),
    ],
)
def test_a_list_that_cant_be_used_is_named(rows, said) -> None:
    with pytest.raises(InputDataError) as caught:
        column(rows).lists(None)
    assert said in str(caught.value)


def test_float32_and_six_decimals_are_probabilities_enough() -> None:
    thirds = np.full((1, 3), 1 / 3)
    for written in (thirds.astype(np.float32), np.round(thirds, 6)):
        column(list(written)).probabilities(3)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[0.5, 0.5], [0.5, 0.4]], "row 101: col sums to 0.9"),
        ([[1.2, -0.2]], "row 100: col is -0.2 for action 1. A probability is never negative"),
        ([[0.5, float("nan")]], "row 100: col is nan"),
    ],
)
def test_what_is_not_a_distribution_is_named(rows, said) -> None:
    with pytest.raises(InputDataError) as caught:
        column(rows).probabilities(2)
    assert said in str(caught.value)


@pytest.mark.parametrize("rows", [[3, 0], [3.0, 0.0], ["3", " 0 "], pa.array([3, 0], pa.uint8())])
def test_whole_numbers_in_any_clothes(rows) -> None:
    assert column(rows).whole_numbers().tolist() == [3, 0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([1.0, 1.5], "row 101: col holds 1.5, not a whole number"),
        (["1", "one"], "row 101: col holds 'one', not a whole number"),
        (["1", "1.5"], "row 101: col holds 1.5, not a whole number"),
        ([1, None], "row 101: col is missing"),
        ([[1], [2]], "column col holds list<item: int64> values"),
    ],
)
def test_other_numbers_are_not_actions(rows, said) -> None:
    with pytest.raises(InputDataError) as caught:
        column(rows).whole_numbers()
    assert said in str(caught.value)


def test_a_gap_among_numbers_is_nan_for_the_records_to_refuse() -> None:
    assert np.isnan(column([1.0, None]).numbers()).tolist() == [False, True]
    assert np.isnan(column(["1", None]).numbers()).tolist() == [False, True]
