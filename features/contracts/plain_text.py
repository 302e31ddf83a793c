"""Texts as they are stored: composed (NFC), and without characters that nobody sees.

Two files write one name in two Unicode forms; and a control character in a name can move the cursor of a
terminal, end a line of a log, or turn the direction of a sentence around.
"""

import re
import unicodedata

_BLANKS = r"[\t\n\v\f\r\x{85}\x{2028}\x{2029}]+"
_UNSEEN = r"[\x{00}-\x{1f}\x{7f}-\x{9f}\x{61c}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{e000}]"
"""Control characters, those that set the direction of writing, and the sign of `refusal_marks`."""

_BLANKS_HERE, _UNSEEN_HERE = (
    re.compile(re.sub(r"\\x\{([0-9a-f]+)\}", lambda found: re.escape(chr(int(found[1], 16))), pattern))
    for pattern in (_BLANKS, _UNSEEN)
)


def plain_text(text: str) -> str:
    r"""Return the text in NFC; a tab or a new line becomes a space, any other control character nothing.

    >>> plain_text("Cafe\u0301\x00 \u202enoir\tdoux")
    'Café noir doux'
    """
    seen = _UNSEEN_HERE.sub("", _BLANKS_HERE.sub(" ", text))
    return unicodedata.normalize("NFC", seen)


def plain_text_sql(text: str) -> str:
    """Return the DuckDB expression that equals `plain_text` of a text expression; null stays null."""
    return f"nfc_normalize({_seen_sql(text)})"


def plain_json_sql(text: str) -> str:
    r"""Return the same for a JSON text, in which such a character may also be an escape, as in \u0000.

    A text with escapes is not composed: the last letter of one, and what stands behind it, may be composed.
    """
    # Two backslashes are one that is meant: they stand aside, so that any other one begins an escape.
    kept = rf"replace({_seen_sql(text)}, '\\', '{_ASIDE}')"
    kept = rf"regexp_replace({kept}, '(?:\\[bfnrt])+', ' ', 'g')"
    kept = rf"regexp_replace({kept}, '{_ESCAPES}', '', 'g')"
    kept = rf"replace({kept}, '{_ASIDE}', '\\')"
    return rf"CASE WHEN contains({text}, '\') THEN {kept} ELSE {plain_text_sql(text)} END"


def _seen_sql(text: str) -> str:
    seen = f"regexp_replace(regexp_replace({text}, '{_BLANKS}', ' ', 'g'), '{_UNSEEN}', '', 'g')"
    # nearly no text has such a character
    return f"CASE WHEN NOT regexp_matches({text}, '{_UNSEEN}|{_BLANKS}') THEN {text} ELSE {seen} END"


# A character that `plain_text` has removed.
_ASIDE = "\ue000"
_ESCAPES = r"\\u(?i:00[01][0-9a-f]|007f|00[89][0-9a-f]|061c|200[ef]|202[89a-e]|206[6-9]|e000)"


def shown(text: str) -> str:
    r"""Return a text for a terminal: with escapes in place of the characters that nobody sees.

    >>> shown("day\n1.csv")
    'day\\n1.csv'
    """
    return _UNSHOWN.sub(_escaped, text)


# Line ends of Unicode, and bytes of a file's name that are not UTF-8.
_UNSHOWN = re.compile(f"{_UNSEEN_HERE.pattern}|[\u2028\u2029\ud800-\udfff]")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
