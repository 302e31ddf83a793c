"""Small files of JSON: what is damaged is named, whatever the damage."""

import pytest

from features.errors import DamagedFileError
from flows.json_files import read_json, write_json


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "small.json"
    write_json(path, {"b": 1, "a": [2]}, mode=0o600)
    assert read_json(path) == {"a": [2], "b": 1}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"a": ' * 100_000])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "small.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"small\.json is damaged"):
        read_json(path)


def test_a_folder_in_its_place_is_named(tmp_path):
    (tmp_path / "small.json").mkdir()
    with pytest.raises(DamagedFileError, match=r"small\.json is damaged: it is a folder"):
        read_json(tmp_path / "small.json")
