import csv
from datetime import date
from pathlib import Path

import pytest

from features.contracts.logs import LOGS
from features.errors import InputDataError
from features.simulator.settings import WorldSettings
from features.simulator.shop import NIGHTLY_LOGS, simulate
from features.sources import simulated


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(WorldSettings(users=40, days=3), tmp_path_factory.mktemp("source") / "shop").folder


def test_every_file_of_the_shop_is_listed_once(folder: Path) -> None:
    names = [source.name for source in simulated.files(folder)]
    assert sorted(names) == sorted(str(path.relative_to(folder)) for path in folder.rglob("*.csv"))
    assert len(names) == 2 + 3 * len(NIGHTLY_LOGS)
    assert all((folder / source.name) == source.path for source in simulated.files(folder))


def test_files_have_the_columns_that_they_need(folder: Path) -> None:
    for source in simulated.files(folder):
        with source.path.open(newline="") as lines:
            header = set(next(csv.reader(lines)))
        assert source.required | source.optional == header
        assert source.optional <= {"cost_cents"}
        assert source.file_format == "csv"


def test_columns_are_read_by_their_own_name(folder: Path) -> None:
    for source in simulated.files(folder):
        (mapping,) = source.logs
        # the simulated shop shows no published list, so it has no night to name
        assert set(mapping.columns) == set(LOGS[mapping.log].column_names()) - {"run_id"}
        assert all(f'"{name}"' in expression for name, expression in mapping.columns.items())
        assert mapping.where is None


def test_an_empty_optional_value_is_null(folder: Path) -> None:
    impressions = next(source for source in simulated.files(folder) if source.logs[0].log == "impressions")
    assert impressions.logs[0].columns["context"] == "nullif(\"context\", '')"
    assert impressions.logs[0].columns["slot"] == '"slot"'


def test_nights_after_the_date_are_left_out(folder: Path) -> None:
    names = {source.name for source in simulated.files(folder, until=date(2026, 1, 6))}
    assert "impressions/2026-01-06.csv" in names
    assert not any("2026-01-07" in name for name in names)
    assert {"items.csv", "users.csv"} <= names


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputDataError, match="is missing"):
        simulated.files(tmp_path / "nowhere")


def test_a_shop_without_impressions_is_reported(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputDataError, match="no impressions"):
        simulated.files(tmp_path)
    with pytest.raises(InputDataError, match="no impressions up to 2026-01-04"):
        simulated.files(folder, until=date(2026, 1, 4))


def test_a_file_without_a_date_is_reported(tmp_path: Path) -> None:
    (tmp_path / "impressions").mkdir()
    (tmp_path / "impressions" / "yesterday.csv").write_text("")
    with pytest.raises(InputDataError, match="YYYY-MM-DD"):
        simulated.files(tmp_path, until=date(2026, 1, 5))
