"""Where a name may break: segment names such as `region=north|device=desktop` break after the bar."""

import re

from markupsafe import Markup

LONGEST_LINE = 34
LONGEST_PIECE = 36

_BREAK = re.compile(r"[\s|/-]+")


def breakable(text: str) -> Markup:
    """Return the text, escaped, with a place to break after every bar.

    >>> breakable("region=north|device=<desktop>")
    Markup('region=north|<wbr>device=&lt;desktop&gt;')
    """
    return Markup("|<wbr>").join(text.split("|"))


def wrapping(text: str) -> str:
    """Return the style class of a cell: short texts stay on a line, long ones break between words.

    Only a text with an endless piece may break anywhere; else every column could shrink to one letter.

    >>> wrapping("search"), wrapping("region=northeast|device=desktop|age=18-24"), wrapping("x" * 99)
    ('', 'wraps', 'wraps endless')
    """
    if len(text) <= LONGEST_LINE:
        return ""
    longest = max(len(piece) for piece in _BREAK.split(text))
    return "wraps endless" if longest > LONGEST_PIECE else "wraps"
