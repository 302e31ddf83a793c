"""The largest texts, lines and files that are read: what is larger is a fault, or is meant to do harm."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of what a shop's files may hold.

    max_text_characters: of a value that is a text, such as an item id or a name.
    max_json_characters: of a value that is a JSON object, such as a context.
    max_line_bytes: of a line, uncompressed.
    max_lines, max_empty_lines: of a file; the empty ones count to both.
    max_file_bytes: of a file's text, uncompressed.
    max_expansion: times that a compressed file may grow when it is uncompressed.
    """

    max_text_characters: int = 2_000
    max_json_characters: int = 20_000
    max_line_bytes: int = 2_000_000
    max_lines: int = 500_000_000
    max_empty_lines: int = 1_000_000
    max_file_bytes: int = 100_000_000_000
    max_expansion: int = 200


DEFAULT_LIMITS = Limits()
