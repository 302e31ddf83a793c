import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import text_files
from features.errors import InputDataError
from features.text_files import text_chunks, text_form

LINES = "id;name\r\n1;Müller\r\n2;Größe\r\n"


def read(path: Path, encoding: str | None = None) -> str:
    return b"".join(text_chunks(path, encoding)).decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_utf_16_is_known_by_its_mark_and_by_its_zeros(tmp_path: Path, encoding: str, packed: bool) -> None:
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(LINES.encode(encoding)) if packed else LINES.encode(encoding))

    assert read(path) == LINES


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp850"])
def test_a_code_page_is_read_where_it_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(LINES.encode(encoding))

    assert read(path, encoding) == LINES


def test_bytes_of_another_encoding_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id\n1\nü\n".encode("utf-16") + b"\x00\xd8")

    with pytest.raises(InputDataError, match=r"is not utf-16-le after line .*encoding = \"cp1252\""):
        read(path)


def test_old_line_ends_become_newlines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\r1,2\r3,4\r")

    assert read(path) == "a,b\n1,2\n3,4\n"


def test_plain_text_is_handed_on_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf[id]\n\xff\n")

    assert text_form(path).is_plain
    assert b"".join(text_chunks(path)) == b"\xef\xbb\xbf[id]\n\xff\n"


VALUES = st.one_of(
    st.integers(),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.none(),
    st.booleans(),
    st.lists(st.text(max_size=3)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    elements=st.lists(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), VALUES), max_size=6),
    indent=st.sampled_from([None, 1]),
    n_bytes=st.sampled_from([1, 7, 1 << 20]),
)
def test_each_element_of_an_array_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elements: list[object], indent: int | None, n_bytes: int
) -> None:
    path = tmp_path / "a.json"
    path.write_text("\n " + json.dumps(elements, indent=indent), encoding="utf-8")
    is_array = text_form(path).is_json_array
    monkeypatch.setattr(text_files, "CHUNK_BYTES", max(n_bytes, 7))

    if is_array:
        assert [json.loads(line) for line in read(path).splitlines()] == elements


def test_the_numbers_of_an_array_stay_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"p": 1.10},\r\n{"p":\n12345678901234567890.05}]')

    assert read(path) == '{"p": 1.10}\n{"p": 12345678901234567890.05}\n'


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": ', '[{"a": 1} {oops}]', '[{"a": 1},'])
def test_an_array_that_breaks_off_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)

    with pytest.raises(InputDataError, match="JSON array that is incomplete"):
        read(path)
