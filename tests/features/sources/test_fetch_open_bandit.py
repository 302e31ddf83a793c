import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from features.errors import InputDataError, UsageError
from features.sources import fetch_open_bandit
from features.sources.fetch_open_bandit import SAMPLE_SHA256, WHEEL_FOLDER, fetch

CONTENT = {name: f"the file {name}\n".encode() for name in SAMPLE_SHA256}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


class Index:
    """Stands in for pip: counts the calls and drops a wheel into the folder asked for."""

    def __init__(self, wheel: Path) -> None:
        self.wheel, self.commands = wheel, list[list[str]]()

    def run(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        (Path(command[-1]) / "obp-0.4.1-py3-none-any.whl").write_bytes(self.wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    members = {f"{WHEEL_FOLDER}/{name}": content for name, content in CONTENT.items()}
    wheel = write_zip(tmp_path / "published.whl", {"obp/__init__.py": b"raise SystemExit", **members})
    monkeypatch.setattr(fetch_open_bandit, "WHEEL_SHA256", sha256(wheel.read_bytes()))
    monkeypatch.setattr(fetch_open_bandit, "SAMPLE_SHA256", {name: sha256(CONTENT[name]) for name in CONTENT})
    index = Index(wheel)
    monkeypatch.setattr(fetch_open_bandit.subprocess, "run", index.run)
    return index


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_sample_is_taken_from_the_wheel(tmp_path: Path, index: Index) -> None:
    folder = tmp_path / "raw" / "open_bandit"

    paths = fetch(folder)

    assert files_of(folder) == CONTENT
    assert {str(path.relative_to(folder)) for path in paths} == set(CONTENT)
    assert index.commands[0][:5] == [sys.executable, "-m", "pip", "download", "obp==0.4.1"]
    assert {"--no-deps", "--only-binary=:all:"} <= set(index.commands[0])


def test_a_second_fetch_does_nothing(tmp_path: Path, index: Index) -> None:
    assert fetch(tmp_path / "obd") == fetch(tmp_path / "obd")
    assert len(index.commands) == 1


def test_a_missing_file_is_fetched_again(tmp_path: Path, index: Index) -> None:
    fetch(tmp_path / "obd")
    (tmp_path / "obd" / "bts" / "men" / "men.csv").unlink()

    fetch(tmp_path / "obd")

    assert files_of(tmp_path / "obd") == CONTENT


def test_another_file_in_its_place_is_not_overwritten(tmp_path: Path, index: Index) -> None:
    other = tmp_path / "obd" / "bts" / "men" / "men.csv"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"26 million rounds")

    with pytest.raises(UsageError, match=r"men\.csv is not the file of the sample"):
        fetch(tmp_path / "obd")
    assert index.commands == []


def test_a_wheel_with_another_checksum_is_refused(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_open_bandit, "WHEEL_SHA256", "0" * 64)

    with pytest.raises(InputDataError, match="not the published wheel"):
        fetch(tmp_path / "obd")
    assert files_of(tmp_path / "obd") == {}


def test_a_failing_download_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "noise\nERROR: No matching distribution found.\n")

    monkeypatch.setattr(fetch_open_bandit.subprocess, "run", fail)
    with pytest.raises(
        InputDataError, match=r"could not download obp==0\.4\.1: ERROR: No matching distribution found"
    ):
        fetch(tmp_path / "obd")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "served").mkdir()
    return write_zip(
        tmp_path / "served" / "open_bandit_dataset.zip",
        {
            "open_bandit_dataset/README.md": b"words",
            "open_bandit_dataset/random/all/all.csv": b"rounds\n" * 300_000,
            "open_bandit_dataset/random/all/item_context.csv": b"items",
            "open_bandit_dataset/random/all/men.csv": b"a campaign in the wrong folder",
            "../random/men/men.csv": b"outside",
            "../../escaped.csv": b"outside",
        },
    )


@pytest.fixture
def server(archive: Path) -> Iterator[str]:
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=archive.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


EXPECTED = {"random/all/all.csv": b"rounds\n" * 300_000, "random/all/item_context.csv": b"items"}


def test_the_full_archive_replaces_the_files(tmp_path: Path, archive: Path) -> None:
    old = tmp_path / "obd" / "random" / "all" / "all.csv"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"sample")

    fetch(tmp_path / "obd", full=str(archive))

    assert files_of(tmp_path / "obd") == EXPECTED


def test_no_member_leaves_the_folder(tmp_path: Path, archive: Path) -> None:
    before = set(files_of(tmp_path))

    fetch(tmp_path / "deep" / "obd", full=str(archive))

    assert all(name.startswith("deep/obd/") for name in set(files_of(tmp_path)) - before)


def test_the_full_archive_is_streamed_from_a_server(tmp_path: Path, server: str) -> None:
    paths = fetch(tmp_path / "obd", full=f"{server}/open_bandit_dataset.zip")

    assert files_of(tmp_path / "obd") == EXPECTED
    assert tmp_path / "obd" / "random" / "all" / "all.csv" in paths


def test_an_address_that_does_not_answer_is_named(tmp_path: Path, server: str) -> None:
    with pytest.raises(InputDataError, match=r"/nothing\.zip can't be downloaded: HTTP Error 404"):
        fetch(tmp_path / "obd", full=f"{server}/nothing.zip")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"no zip", "is not a complete zip archive"), (None, "There is no archive at")],
)
def test_what_is_not_an_archive_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "full.zip"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputDataError, match=said):
        fetch(tmp_path / "obd", full=str(path))


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "full.zip", {"holiday/beach.jpg": b"sun"})

    with pytest.raises(InputDataError, match="is it the Open Bandit Dataset"):
        fetch(tmp_path / "obd", full=str(path))


def test_a_full_disk_is_seen_before_anything_is_written(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = fetch_open_bandit.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetch_open_bandit.shutil, "disk_usage", lambda _: usage._replace(free=1000))

    with pytest.raises(InputDataError, match="1000 bytes free, 2100005 are needed"):
        fetch(tmp_path / "obd", full=str(archive))
    assert files_of(tmp_path / "obd") == {}
