"""Number formats of shops: the decimal sign, the thousands separator, and the currency sign.

`1.299` is a price of 1.30 in one country and of 1,299 in another, so no number is read by guessing: a mapping
states the format, a value of another format goes to quarantine, and the draft of a mapping asks where two
formats fit.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from features.contracts.refusal_marks import OTHER_NUMBER_FORM, marked
from features.contracts.sql_text import quoted

DECIMALS = (".", ",")
THOUSANDS = (".", ",", " ", "'")
# The no-break spaces of spreadsheets: normal, narrow, thin; and the Swiss apostrophe.
_SPACES, _APOSTROPHES = "\u00a0\u202f\u2009", "\u2019"
_MINUS = "\u2212"
_SIGNS = "$€£¥₹₽₩₺₴₫฿元円"
# A number of another kind than money may carry a per cent sign.
_AMOUNT = re.compile(
    rf"(?P<before>[{_SIGNS}]|[A-Za-z]{{2,3}}\.?|R\$|zł|kr|Kč)?\s*(?P<minus>-?)\s*"
    rf"(?P<digits>\d[\d.,' ]*)\s*(?P<after>%|[{_SIGNS}]|[A-Z]{{3}}|zł|kr|Kč)?"
)
SIGN_CURRENCIES = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "R$": "BRL",
    "zł": "PLN",
    "Kč": "CZK",
    "₽": "RUB",
    "₩": "KRW",
}


@dataclass(frozen=True)
class NumberForm:
    """The number format of a file.

    decimal: the decimal sign. thousands: the thousands separator; empty for none.
    currency_sign: the sign before or after an amount; empty for none.
    """

    decimal: str = "."
    thousands: str = ""
    currency_sign: str = ""

    @property
    def pattern(self) -> str:
        """The regular expression of a number of this form, without spaces around it or sign of a currency."""
        whole = r"\d+"
        if self.thousands:
            whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(self.thousands)}\d{{3}})+|\d+)"
        return rf"[+-]?{whole}(?:{re.escape(self.decimal)}\d*)?"

    def sql(self, said: str, *, is_share: bool = False) -> str:
        """Return the SQL of a number with a decimal point, as text; of per cent, a share.

        said: SQL of the text. is_share: whether 4.5 % is allowed, for 0.045.
        Text of another format gets a mark, by which the contract refuses it.
        """
        text = _plain_spaces(said)
        if self.currency_sign:
            text = f"replace({text}, {quoted(self.currency_sign)}, '')"
        text = rf"regexp_replace(trim({text}), '^([+-]) +', '\1')"
        number = f"replace({text}, {quoted(self.thousands)}, '')" if self.thousands else text
        number = f"replace({number}, {quoted(self.decimal)}, '.')"
        branches = [f"WHEN regexp_full_match({text}, {quoted(self.pattern)}) THEN {number}"]
        if is_share:
            hundredth = "CAST('0.01' AS DECIMAL(3, 2))"
            percent = f"TRY_CAST(rtrim({number}, ' %') AS DECIMAL(30, 10))"
            share = f"CAST({percent} * {hundredth} AS VARCHAR)"
            branches.append(f"WHEN regexp_full_match({text}, {quoted(self.pattern + ' ?%')}) THEN {share}")
        return f"CASE {' '.join(branches)} ELSE {marked(said, OTHER_NUMBER_FORM)} END"


def _plain_spaces(said: str) -> str:
    strange = _SPACES + _APOSTROPHES + _MINUS
    return f"translate({said}, {quoted(strange)}, {quoted('   ' + chr(39) + '-')})"


def forms_of(values: Collection[str]) -> tuple[NumberForm, ...]:
    """Return the formats that fit all of the values, the simplest first; none where one is not a number.

    With two formats, no value shows which one is meant. A format with a thousands separator is returned only
    where a value has the separator.

    >>> [form.decimal + form.thousands for form in forms_of(["12,50", "1.234,56"])]
    [',.']
    >>> [form.decimal + form.thousands for form in forms_of(["1.299", "2.450"])]
    ['.', ',.']
    >>> [form.decimal + form.thousands for form in forms_of(["0.125", "1"])]
    ['.']
    """
    amounts = [_AMOUNT.fullmatch(plain_text(value)) for value in values]
    found = [match for match in amounts if match]
    if not found or len(found) < len(amounts):
        return ()
    signs = {match[side] for match in found for side in ("before", "after") if match[side]} - {"%"}
    if len(signs) > 1:
        return ()
    sign = next(iter(signs), "")
    digits = {match["digits"].strip() for match in found}
    return tuple(
        NumberForm(decimal, thousands, sign)
        for decimal in DECIMALS
        for thousands in ("", *THOUSANDS)
        if thousands != decimal and _shows(digits, decimal, thousands)
    )


def _shows(digits: Collection[str], decimal: str, thousands: str) -> bool:
    if any(thousands in text for text in digits) is False and thousands:
        return False
    # Without a separator in any value, the decimal comma is not a different format.
    if decimal != "." and not any(decimal in text for text in digits) and not thousands:
        return False
    form = NumberForm(decimal, thousands).pattern
    return all(re.fullmatch(form, text) for text in digits)


def plain_text(value: str) -> str:
    """Return the text with plain spaces, apostrophes and minus signs, without spaces around it."""
    table = str.maketrans(_SPACES + _APOSTROPHES + _MINUS, "   '-")
    return value.translate(table).strip()
