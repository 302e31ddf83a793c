"""Small groups stay unseen: user counts below `SMALLEST_GROUP` are never printed.

If exactly one count of a table were hidden, a printed total less the others would give it away; so the
next smallest goes with it (complementary suppression).
"""

import re
from collections.abc import Sequence

from reports.summaries.formatting import count

SMALLEST_GROUP = 20

_USER_COUNT = re.compile(r"\b(?:only )?(\d[\d,]*)(?=(?: distinct)? users?\b)")

# What a blurred count leaves behind where the limit it missed is the smallest group itself.
_SAID_TWICE = re.compile(rf"((?:F|f)ewer than {SMALLEST_GROUP} users[^,;.]*), fewer than {SMALLEST_GROUP}\b")


def is_hidden(n_users: Sequence[int]) -> list[bool]:
    """Return which counts must not be printed.

    >>> is_hidden([500, 7, 31, 90])
    [False, True, True, False]
    >>> is_hidden([500, 7, 8, 90])
    [False, True, True, False]
    """
    hidden = [number < SMALLEST_GROUP for number in n_users]
    open_rows = [row for row, is_small in enumerate(hidden) if not is_small]
    if sum(hidden) == 1 and open_rows:
        hidden[min(open_rows, key=lambda row: n_users[row])] = True
    return hidden


def shown_users(n_users: Sequence[int]) -> list[str]:
    """Return each count as printed: the number, `< 20`, or `hidden` where it protects another row.

    >>> shown_users([500, 7, 31])
    ['500', '< 20', 'hidden']
    """
    return [
        count(number) if not hide else f"< {SMALLEST_GROUP}" if number < SMALLEST_GROUP else "hidden"
        for number, hide in zip(n_users, is_hidden(n_users), strict=True)
    ]


def without_small_counts(sentence: str) -> str:
    """Return the sentence with small user counts blurred; reasons may quote them.

    >>> without_small_counts("7 users, 30 are needed: merged into all")
    'Fewer than 20 users, 30 are needed: merged into all'
    >>> without_small_counts("It has only 3 users who clicked, fewer than 20.")
    'It has fewer than 20 users who clicked.'
    """

    def blur(match: re.Match[str]) -> str:
        number = match.group(1)
        if int(number.replace(",", "")) >= SMALLEST_GROUP:
            return match.group(0)
        return f"{'Fewer' if match.start() == 0 else 'fewer'} than {SMALLEST_GROUP}"

    return _SAID_TWICE.sub(r"\1", _USER_COUNT.sub(blur, sentence))
