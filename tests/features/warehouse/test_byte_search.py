import gzip
from pathlib import Path

import pytest

from features.text_files import raw_chunks, text_chunks
from features.warehouse.byte_search import count_words, holds_text


@pytest.mark.parametrize("n_before", [0, 1, (1 << 22) - 3, 1 << 22, (1 << 22) + 5])
def test_a_text_is_found_across_the_seams_of_pieces(tmp_path: Path, n_before: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * n_before + b"needle" + b"y" * 10)

    assert holds_text(path, "needle")
    assert not holds_text(path, "needles")


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()

    assert not holds_text(path, "a")
    assert count_words(raw_chunks(path), "a") == 0


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "n_words"),
    [
        ("u-1", 1),
        ("u-1,u-12,xu-1,u-1\n", 2),
        ('{"id":"u-1"}\n{"id":"u-1"}', 2),
        ("_u-1 u-1_ éu-1 u-1é", 0),
        ("u-1u-1 u-1\nu-1", 2),
        (r"\nu-1 \tu-1 nu-1 \xu-1", 2),
    ],
)
def test_a_word_stands_by_itself_in_pieces_of_any_size(text: str, n_words: int, n_bytes: int) -> None:
    content = text.encode()
    pieces = [content[place : place + n_bytes] for place in range(0, len(content), n_bytes)]

    assert count_words(pieces, "u-1") == n_words


def test_compressed_text_is_read_and_other_spellings_count(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(rb'{"id": "a\"b"} {"id": "plain"}'))

    assert count_words(text_chunks(path), 'a"b', r"a\"b") == 1
    assert count_words(text_chunks(path), "plain", "plain") == 1
