"""A column of lists read again, run by run, is the matrix that is never held."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.commands.ope.reread_probabilities import RereadProbabilities
from flows.commands.ope.round_files import open_rounds
from tests.flows.commands.ope.round_tables import coin_columns, write_parquet

PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(3), 100)


@pytest.fixture(scope="module")
def reread(tmp_path_factory: pytest.TempPathFactory) -> RereadProbabilities:
    log = coin_columns(100, logging_probs=PROBABILITIES)
    path = write_parquet(tmp_path_factory.mktemp("log") / "log.parquet", log, row_group_size=7)
    return RereadProbabilities(open_rounds(path), 3)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ends=st.lists(st.integers(1, 100), min_size=1, max_size=6, unique=True).map(sorted))
def test_runs_of_any_length_are_the_rows(reread: RereadProbabilities, ends: list[int]) -> None:
    starts = [0, *ends[:-1]]
    for start, stop in zip(starts, ends, strict=True):
        np.testing.assert_array_equal(reread(np.arange(start, stop)), PROBABILITIES[start:stop])


@pytest.mark.parametrize("rows", [[5, 6], [11, 12], [10, 12]])
def test_rows_out_of_order_are_refused(reread: RereadProbabilities, rows: list[int]) -> None:
    reread(np.arange(10))
    with pytest.raises(ValueError, match="don't follow row 9"):
        reread(np.array(rows))
