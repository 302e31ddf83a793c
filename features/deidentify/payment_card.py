"""Payment card numbers inside free text, found by their check digit.

A card number has 13 to 19 digits, begins with 2 to 9 (0 and 1 are not payment cards; every time in
milliseconds begins with 1), and passes the Luhn check: from the right, every second digit is doubled and the
digits of all numbers add up to a multiple of 10. Source: ISO/IEC 7812-1, annex B.
"""

import re

MASK = "[card]"

# Between two digits there are at most three blanks or hyphens. A run after `0.` is a fraction, not a card.
_RUN = "(?:[0-9][.])?[0-9](?:[ \u00a0-]{0,3}[0-9]){12,}"
_FRACTION = "^[0-9][.]"
_GROUP = "[0-9]+"
# A card is written in groups of three digits or more; only the last may be shorter. Days and times are not.
_CARD_GROUPS = "^(?:[0-9]{3,} )*[0-9]+$"
_MOST_GROUPS = 7
_CARD_DIGITS = "^[2-9][0-9]{12,18}$"


def is_card_number(digits: str) -> bool:
    """Return whether a text of digits alone may be a payment card.

    >>> is_card_number("4111111111111111"), is_card_number("4111111111111112")
    (True, False)
    """
    return bool(re.match(_CARD_DIGITS, digits)) and _luhn_sum(digits) % 10 == 0


def mask_cards(text: str) -> str:
    """Mask every run of digits that contains a card number, also one with other numbers next to it.

    >>> mask_cards("paid 49.90 with 4111 1111 1111 1111 on 2026-01-05")
    'paid 49.90 with [card] on 2026-01-05'
    """
    for run in re.findall(_RUN, text):
        if not re.match(_FRACTION, run) and any(is_card_number(digits) for digits in _numbers_in(run)):
            text = text.replace(run, MASK)
    return text


def mask_cards_sql(text: str) -> str:
    """Return the DuckDB expression that equals `mask_cards` of an SQL expression; null stays null."""
    neighbors = (
        f"range(first, least(first + {_MOST_GROUPS}, len(groups) + 1)), "
        "lambda last: array_to_string(groups[first:last], ' ')"
    )
    windows = f"flatten(list_transform(range(1, len(groups) + 1), lambda first: list_transform({neighbors})))"
    grouped = f"list_filter({windows}, lambda neighbors: regexp_matches(neighbors, '{_CARD_GROUPS}'))"
    numbers = f"list_transform({grouped}, lambda neighbors: replace(neighbors, ' ', ''))"
    # From the right, the digit at an even place counts double, a double of two digits with their sum.
    double = "2 * substr(digits, -place, 1)::INT"
    luhn_sum = (
        "list_sum(list_transform(range(1, length(digits) + 1), lambda place: CASE WHEN place % 2 = 1 "
        f"THEN substr(digits, -place, 1)::INT ELSE ({double}) // 10 + ({double}) % 10 END))"
    )
    # Filters one inside the other, cheapest first: AND would ask every one of them of every run.
    candidates = f"list_filter({numbers}, lambda digits: regexp_matches(digits, '{_CARD_DIGITS}'))"
    cards = f"list_filter({candidates}, lambda digits: ({luhn_sum}) % 10 = 0)"
    found = f"regexp_extract_all({text}, '{_RUN}')"
    whole = f"list_filter({found}, lambda run: NOT regexp_matches(run, '{_FRACTION}'))"
    # A list of one gives the groups of a run a name, so that they are found once.
    holds_card = f"list_transform([regexp_extract_all(run, '{_GROUP}')], lambda groups: len({cards}) > 0)[1]"
    runs = f"list_filter({whole}, lambda run: {holds_card})"
    return f"list_reduce({runs}, lambda masked, run: replace(masked, run, '{MASK}'), {text})"


def _numbers_in(run: str) -> list[str]:
    """Return the numbers that neighboring groups of the run make up, as far as cards are grouped so."""
    groups = re.findall(_GROUP, run)
    windows = (
        groups[first:last]
        for first in range(len(groups))
        for last in range(first + 1, min(first + _MOST_GROUPS, len(groups)) + 1)
    )
    return ["".join(window) for window in windows if re.match(_CARD_GROUPS, " ".join(window))]


def _luhn_sum(digits: str) -> int:
    places = [int(digit) for digit in reversed(digits)]
    return sum(places[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in places[1::2])
