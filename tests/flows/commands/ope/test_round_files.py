"""Files as batches: small however the file is laid out, and in sentences where it is broken."""

import numpy as np
import pytest

from features.errors import InputDataError, UsageError
from flows.commands.ope.round_files import VALUES_PER_BATCH, open_rounds
from tests.flows.commands.ope.round_tables import coin_columns, write_csv, write_parquet


def test_batches_of_one_row_group_stay_small(tmp_path) -> None:
    n_actions = 600
    lists = np.zeros((5000, n_actions), dtype=np.float32)
    path = write_parquet(tmp_path / "log.parquet", {"action": np.arange(5000), "evaluation_probs": lists})

    batches = list(open_rounds(path).batches(["action", "evaluation_probs"]))

    assert max(map(len, batches)) * n_actions <= VALUES_PER_BATCH
    assert np.concatenate([batch.column("action") for batch in batches]).tolist() == list(range(5000))


def test_columns_are_known_before_any_row_is_read(tmp_path) -> None:
    columns = coin_columns(4)
    for path in (write_parquet(tmp_path / "log.parquet", columns), write_csv(tmp_path / "LOG.CSV", columns)):
        assert open_rounds(path).columns == ("action", "reward", "propensity", "evaluation_probs")


def test_another_ending_is_wrong_usage(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"neither \.parquet nor \.csv nor \.csv\.gz"):
        open_rounds(tmp_path / "log.xlsx")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.parquet", b"PAR1 no more", "can't be read as Parquet"),
        ("log.csv", b"", "can't be read as CSV"),
        ("log.csv.gz", b"plain text", "can't be read as CSV"),
        ("log.csv", b"action,reward,action\n1,2,3\n", "several columns called action"),
    ],
)
def test_a_broken_file_is_bad_input(tmp_path, name, content, said) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputDataError) as caught:
        open_rounds(tmp_path / name)
    assert said in str(caught.value)


def test_a_file_that_breaks_off_is_bad_input(tmp_path) -> None:
    path = write_csv(tmp_path / "log.csv", coin_columns(4))
    path.write_text(path.read_text() + "0,1.0\n")
    with pytest.raises(InputDataError, match="can't be read as CSV"):
        list(open_rounds(path).batches(["action"]))
