import gzip
import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputDataError
from features.warehouse.census import take_census


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seam between chunks becomes likely."""
    monkeypatch.setattr("features.warehouse.census.CHUNK_BYTES", 3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text(alphabet="a\n\r", max_size=20).map(str.encode))
def test_lines_are_those_that_python_sees(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "day.csv"
    path.write_bytes(content)
    lines = content.split(b"\n")
    terminated, last = lines[:-1], lines[-1]
    ends = {line.endswith(b"\r") for line in terminated}

    census = take_census(path)

    assert census.sha256 == hashlib.sha256(content).hexdigest()
    assert (census.n_bytes, census.n_lines) == (len(content), len(terminated) + bool(last))
    assert census.empty_lines == tuple(n for n, line in enumerate(terminated, 1) if line in {b"", b"\r"})
    strays = any(b"\r" in line.removesuffix(b"\r") for line in terminated) or b"\r" in last
    assert census.has_mixed_newlines == (strays or len(ends) > 1)


def test_a_compressed_file_is_hashed_as_it_lies_and_counted_as_it_reads(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n\nb", mtime=0)
    path = tmp_path / "day.csv.gz"
    path.write_bytes(packed)

    census = take_census(path)

    assert census.sha256 == hashlib.sha256(packed).hexdigest()
    assert (census.n_lines, census.empty_lines) == (3, (2,))


@pytest.mark.parametrize("content", [gzip.compress(b"a\n" * 99, mtime=0)[:-4], b"no gzip"])
def test_a_damaged_compressed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "day.csv.gz"
    path.write_bytes(content)

    with pytest.raises(InputDataError, match="not a complete gzip file"):
        take_census(path)
