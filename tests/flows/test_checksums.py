import shutil
import subprocess
from pathlib import Path

import pytest

from flows.checksums import SUMS, changed, checksums, files_below, read_sums, sums_text

# The worked answer of FIPS 180-2, appendix B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "report").mkdir()
    (tmp_path / "a.csv").write_bytes(b"abc")
    (tmp_path / "report" / "index.html").write_bytes(b"")
    return tmp_path


def test_a_checksum_is_the_sha256(folder: Path) -> None:
    assert checksums(folder, ["a.csv"]) == {"a.csv": ABC}


def test_missing_and_changed_files_are_distinguished(folder: Path) -> None:
    known = checksums(folder, files_below(folder))
    assert changed(folder, known) == {}
    (folder / "a.csv").write_bytes(b"abd")
    (folder / "report" / "index.html").unlink()
    assert changed(folder, known) == {"a.csv": "changed", "report/index.html": "missing"}


def test_the_file_of_checksums_comes_back_as_it_was(folder: Path) -> None:
    known = checksums(folder, files_below(folder))
    (folder / SUMS).write_text(sums_text(known))
    assert read_sums(folder / SUMS) == known


@pytest.mark.parametrize("text", ["", "\n", "abc", f"{ABC} a.csv\n", "<html>\n"])
def test_another_form_is_not_a_file_of_checksums(tmp_path: Path, text: str) -> None:
    (tmp_path / SUMS).write_text(text)
    assert read_sums(tmp_path / SUMS) is None


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_the_system_s_own_command_reads_it(folder: Path) -> None:
    (folder / SUMS).write_text(sums_text(checksums(folder, files_below(folder))))
    checked = subprocess.run(["sha256sum", "--check", SUMS], cwd=folder, capture_output=True, check=False)
    assert checked.returncode == 0
