"""Which files of a folder are logs: links out of it, folders and pipes are refused by name."""

import os
from pathlib import Path

import pytest

from features.contracts.mapping import SourceFile
from features.errors import InputDataError, UsageError
from features.sources import open_bandit, rees46, retailrocket, simulated
from features.sources.folder import has_log, listed, log_files


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "secret.csv").write_text("id\n1\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "2026-01-05.csv").write_text("id\n1\n")
    return tmp_path / "logs"


def test_files_come_by_name_and_folders_of_logs_are_no_files(logs: Path) -> None:
    (logs / "b.csv").write_text("")
    (logs / "a.csv").write_text("")
    (logs / "events").mkdir()
    (logs / "same.csv").symlink_to("a.csv")

    assert [path.name for path in log_files(logs, "*")] == ["a.csv", "b.csv", "same.csv"]
    assert has_log(logs, "a.csv") and not has_log(logs, "c.csv")


@pytest.mark.parametrize("name", ["link.csv", "linked"])
def test_a_link_out_of_the_folder_is_refused_by_name(logs: Path, name: str) -> None:
    (logs / "link.csv").symlink_to(logs.parent / "secret.csv")
    (logs / "linked").symlink_to(logs.parent / "outside")
    pattern = "*.csv" if name == "link.csv" else "linked/*.csv"

    with pytest.raises(UsageError, match=rf"{name}.* is a link to a file outside of"):
        listed(logs, pattern, source="logs")


@pytest.mark.parametrize(
    ("what", "said"), [("folder", "a folder"), ("pipe", "not a file"), ("nothing", "a link to nothing")]
)
def test_what_has_the_name_of_a_log_and_is_no_file_is_refused_by_name(
    logs: Path, what: str, said: str
) -> None:
    path = logs / "day.csv"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("gone.csv")

    with pytest.raises(InputDataError, match=rf"day\.csv has the name of a log, and is {said}"):
        log_files(logs, "*.csv")


@pytest.mark.parametrize("adapter", [rees46, retailrocket, open_bandit, simulated])
def test_no_adapter_follows_a_link_out_of_its_folder(logs: Path, adapter: object) -> None:
    names = {
        rees46: "2019-Oct.csv",
        retailrocket: "events.csv",
        open_bandit: "random/all/all.csv",
        simulated: "impressions/2026-01-05.csv",
    }
    link = logs / names[adapter]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(logs.parent / "secret.csv")

    with pytest.raises(UsageError, match="is a link to a file outside of"):
        adapter.files(logs)


def test_a_strange_name_is_shown_with_escapes(logs: Path) -> None:
    path = logs / "day\n1\x1b.csv"
    path.write_text("id\n")

    [file] = [SourceFile(path, path.name, "csv", frozenset(), ()) for path in log_files(logs, "*.csv")]

    assert file.name == r"day\n1\x1b.csv"
    path.rename(logs / "kept.csv")
    (logs / "link\n.csv").symlink_to(logs.parent / "secret.csv")
    with pytest.raises(UsageError, match=r"link\\n\.csv is a link"):
        log_files(logs, "*.csv")
