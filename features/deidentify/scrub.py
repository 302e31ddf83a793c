"""Free text without the e-mail addresses, phone, card and account numbers and network addresses in it.

Forms are found by their spelling. Names, streets and other hints to a person stay: a column that may contain
them is personal as a whole and should be dropped, not scrubbed.

Every pattern uses the syntax that `re` and RE2 (DuckDB) share: no lookaround, ASCII classes written out.
Characters that must not precede a number are therefore matched and put back as `\\1`.
"""

import json
import re

from features.deidentify.payment_card import mask_cards, mask_cards_sql

# Countries that issue IBANs (SWIFT registry, release 99).
_IBAN_COUNTRIES = (
    "AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FK|FO|FR|GB|GE|GI|GL|GR|"
    "GT|HN|HR|HU|IE|IL|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MN|MR|MT|MU|NI|NL|NO|OM|PK|"
    "PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|SI|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE"
)

# A form begins after something that is not a letter or digit, or after an escape in JSON text.
_START = r"(^|[^0-9A-Za-z]|\\[bfnrt])"
# After these a number is part of a decimal, of an order number or of a name.
_NUMBER_START = r"(^|[^0-9A-Za-z.,_#-]|[^0-9][.,]|\\[bfnrt])"
_ESCAPED = r"\\u[0-9A-Fa-f]{4}"
_PLUS = r"(?:\+|\\u002[Bb])"
_GAP = "[ .()/\u00a0-]"
# Four numbers are an address where one has three digits or the first has two: 5.2.2.1 counts chapters.
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LONG_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2})"
_IP_V4 = "|".join(
    (
        rf"(?:{_LONG_OCTET}|[1-9][0-9])(?:\.{_OCTET}){{3}}",
        rf"[0-9]\.{_LONG_OCTET}(?:\.{_OCTET}){{2}}",
        rf"[0-9]\.{_OCTET}\.{_LONG_OCTET}\.{_OCTET}",
        rf"[0-9]\.{_OCTET}\.{_OCTET}\.{_LONG_OCTET}",
    )
)
_HEXTET = "[0-9A-Fa-f]{1,4}"
# The trunk prefix 0 and the rest of a national number: nine digits or more, in groups that days are not
# written in (05.01.2026, 01-2026).
_NATIONAL = "|".join(
    (
        "0[1-9][0-9]{8,10}",
        r"0[1-9](?:(?: [0-9]{2}){4}|(?:\.[0-9]{2}){4}|(?:-[0-9]{2}){4})",
        "0[1-9](?:(?: [0-9]{3,4}){2}|(?:-[0-9]{3,4}){2})",
        "0[1-9][ /-][0-9]{7,8}",
        r"0[1-9][0-9]{1,3}\)?[ ./-]{1,3}(?:[0-9]{6,8}|[0-9]{3,5}[ .-][0-9]{3,5}"
        "|[0-9]{2,3}(?:[ .-][0-9]{2}){2}|[0-9]{3,4}[ .-][0-9]{2})",
    )
)
_LABEL = "(?i:tel|telephone|telefon|phone|mobile|mobil|cell|handy|call|whatsapp|fax)"
_LINKING = "(?:[ .:#=\"'_-]{1,3}(?i:me|us|at|on|is|no|nr|number)){0,4}[ .:#=\"']{1,5}"


# In this order: the mask of one form holds no digit or @ that a later form could take for its own.
FORMS: tuple[tuple[str, str], ...] = (
    (
        # JSON text may escape letters; the backslash of any other escape before the address goes with it.
        rf"\\*(?:[^\x00-\x20\\@\"<>()\[\],;:]|{_ESCAPED})+(?:@|%40)"
        f"(?:(?:[0-9A-Za-z\u0080-\U0010ffff_-]|{_ESCAPED})+[.])+(?:[A-Za-z\u0080-\U0010ffff]|{_ESCAPED}){{2,}}",
        "[email]",
    ),
    (
        f"{_START}(?:{_IBAN_COUNTRIES})[0-9]{{2}}(?: ?[A-Z0-9]{{4}}){{2,7}} ?[A-Z0-9]{{1,4}}",
        r"\1[iban]",
    ),
    (f"{_NUMBER_START}(?:{_IP_V4})", r"\1[ip]"),
    (f"{_START}(?:{_HEXTET}:){{7}}{_HEXTET}", r"\1[ip]"),
    (f"{_START}(?:{_HEXTET}:){{2,6}}(?::{_HEXTET}){{1,6}}", r"\1[ip]"),
    (rf"{_PLUS}[ (]{{0,2}}[0-9](?:{_GAP}{{0,3}}[0-9]){{7,14}}", "[phone]"),
    (f"{_NUMBER_START}00[1-9](?:{_GAP}{{0,3}}[0-9]){{7,14}}", r"\1[phone]"),
    (f"{_NUMBER_START}(?:{_NATIONAL})", r"\1[phone]"),
    # North America: area and exchange begin with 2 to 9.
    (
        rf"{_NUMBER_START}(?:1[ .-])?[2-9][0-9]{{2}}\)?[ .-]{{1,2}}[2-9][0-9]{{2}}[ .-][0-9]{{4}}",
        r"\1[phone]",
    ),
    (r"\([0-9]{2,5}\) ?(?:[0-9]{6,8}|[0-9]{3,5}(?:[ .-][0-9]{2,4}){1,3})", "[phone]"),
    (f"((?:^|[^A-Za-z]){_LABEL}{_LINKING})[(]?[0-9](?:{_GAP}{{0,2}}[0-9]){{6,14}}", r"\1[phone]"),
)

# Few texts contain a form. All that do match one of these, even without their decimals (contexts are full of
# numbers like 0.4823749), and this one test is much faster than a test for every form.
_DECIMAL = "(^|[^0-9+])[0-9]{1,2}[.][0-9]{5,}"
_SUSPICIOUS = (
    r"@|%40|[0-9](?:[^0-9A-Za-z]{0,4}[0-9]){6}|[A-Z]{2}[0-9]{2} ?[0-9A-Z]{4}"
    r"|[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:"
)

# A number of a JSON object comes after one of `:,[`; a mask in its place must be a value again.
_BARE_MASK = r"([:,\[][ ]*)-?\[(?:card|phone)\][0-9.eE+-]*"


def scrub(text: str) -> str:
    """Return the text with every form masked by its kind: [email], [iban], [ip], [card], [phone].

    >>> scrub("I'm ann@example.com, call +49 30 901820 or 0171 2345678 about order 100234 of 2026-01-05")
    "I'm [email], call [phone] or [phone] about order 100234 of 2026-01-05"
    """
    if not re.search(_SUSPICIOUS, re.sub(_DECIMAL, r"\1", text)):
        return text
    text = mask_cards(text)
    for form, mask in FORMS:
        text = re.sub(form, mask, text)
    return text


def scrub_sql(column: str) -> str:
    """Return the DuckDB expression that equals `scrub` of a text expression; null stays null."""
    masked = mask_cards_sql(f"({column})")
    for form, mask in FORMS:
        masked = f"regexp_replace({masked}, {_quoted(form)}, {_quoted(mask)}, 'g')"
    quick = f"regexp_replace({column}, '{_DECIMAL}', '\\1', 'g')"
    return f"CASE WHEN regexp_matches({quick}, '{_SUSPICIOUS}') THEN {masked} ELSE {column} END"


def scrub_json(text: str) -> str | None:
    """Scrub JSON text and keep it JSON: where a bare number is masked it becomes null.

    Returns None where JSON would not be JSON any more: no value is better than an unsafe one. Text that was
    not JSON before comes back scrubbed, for a contract to check.

    >>> scrub_json('{"note": "card 4111111111111111", "card": 4111111111111111}')
    '{"note": "card [card]", "card": null}'
    """
    scrubbed = scrub(text)
    if scrubbed == text or _is_json(scrubbed) or not _is_json(text):
        return scrubbed
    repaired = re.sub(_BARE_MASK, r"\1null", scrubbed)
    return repaired if _is_json(repaired) else None


def scrub_json_sql(column: str) -> str:
    """Return the DuckDB expression that equals `scrub_json` of a text expression; null stays null."""
    repaired = f"regexp_replace(scrubbed, {_quoted(_BARE_MASK)}, {_quoted(chr(92) + '1null')}, 'g')"
    kept = (
        f"CASE WHEN scrubbed = ({column}) OR json_valid(scrubbed) OR NOT json_valid({column}) THEN scrubbed "
        f"WHEN json_valid({repaired}) THEN {repaired} END"
    )
    # A list of one text gives the long expression a name, so that it is computed once.
    return f"list_transform([{scrub_sql(column)}], lambda scrubbed: {kept})[1]"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
