import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.deidentify.scrub import scrub, scrub_json, scrub_json_sql, scrub_sql

# A long expression takes DuckDB some milliseconds to plan.
FEW = settings(max_examples=25, deadline=None)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = st.sampled_from(
    [
        "hello",
        "order 100234",
        "of 2026-01-05",
        "49.90 EUR",
        "Tel.",
        "call",
        "at",
        "größe",
        "(see",
        "#12",
        "a/b",
    ]
)
PROSE = st.lists(WORDS, max_size=4).map(" ".join)


def digits(low: int, high: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=low, max_size=high)


EMAILS = st.builds(
    "{}{}@{}.{}".format,
    st.text(LETTERS + "0123456789.+_'-", min_size=1, max_size=12),
    st.sampled_from(["", "é", "ö"]),
    st.text(LETTERS + "0123456789-", min_size=1, max_size=10),
    st.sampled_from(["com", "co.uk", "museum", "рф"]),
)
INTERNATIONAL = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["+", "00"]),
    st.sampled_from(["1", "44", "49", "380"]),
    st.sampled_from(["", " ", " (", "-"]),
    digits(3, 3),
    st.sampled_from(["", " ", ") ", "-", "/"]),
    digits(5, 7),
)
LOCAL = st.one_of(
    st.builds(
        "0{}{}{}".format,
        st.sampled_from(["171", "30", "20", "6151"]),
        st.sampled_from([" ", "/", "-"]),
        digits(7, 8),
    ),
    st.builds("0{} {} {}".format, st.sampled_from(["171", "20", "7911"]), digits(3, 3), digits(4, 4)),
    st.builds("0{}".format, digits(8, 8).map("1{}".format)),
    st.builds("06 {} {} {} {}".format, *[digits(2, 2)] * 4),
    st.builds("({}) 555-{}".format, st.sampled_from(["212", "905"]), digits(4, 4)),
    st.builds("{}-555-{}".format, st.sampled_from(["212", "905"]), digits(4, 4)),
)
IBANS = st.sampled_from(
    ["DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "NO93 8601 1117 947", "GB29NWBK60161331926819"]
)
ADDRESSES = st.sampled_from(["192.168.1.17", "10.0.0.255", "2001:db8::ff00:42:8329", "fe80:1:2:3:4:5:6:7"])


def holds(text: str, secret: str) -> bool:
    """Say whether the secret is still there, at least all but its last few signs."""
    plain = re.sub("[^0-9A-Za-zéö]", "", text)
    return re.sub("[^0-9A-Za-zéö]", "", secret)[:8] in plain


@pytest.mark.parametrize(
    ("kind", "secrets"),
    [("email", EMAILS), ("phone", INTERNATIONAL), ("phone", LOCAL), ("iban", IBANS), ("ip", ADDRESSES)],
)
def test_no_form_survives_in_prose_or_json(
    in_sql: Callable[..., Any], kind: str, secrets: st.SearchStrategy[str]
) -> None:
    @FEW
    @given(before=PROSE, secret=secrets, after=PROSE, is_ascii=st.booleans())
    def law(before: str, secret: str, after: str, *, is_ascii: bool) -> None:
        text = f"{before} {secret} {after}"

        scrubbed = scrub(text)

        assert secret not in scrubbed
        assert "[" in scrubbed
        assert kind == "email" or not holds(scrubbed, secret) or holds(f"{before} {after}", secret)
        assert in_sql(scrub_sql("x"), text) == scrubbed

        document = json.dumps({"note": f"{before}\n{secret}", "price": 12.5}, ensure_ascii=is_ascii)
        kept = scrub_json(document)
        assert kept is not None
        assert secret not in json.loads(kept)["note"]
        assert json.loads(kept)["price"] == 12.5
        assert in_sql(scrub_json_sql("x"), document) == kept

    law()


@FEW
@given(text=st.text(st.sampled_from("0123456789 .,:-/()+@#\\\"'abDE%\n\té"), max_size=60))
def test_sql_equals_python(in_sql: Callable[..., Any], text: str) -> None:
    assert in_sql(scrub_sql("x"), text) == scrub(text)
    assert in_sql(scrub_json_sql("x"), text) == scrub_json(text)


@FEW
@given(
    values=st.dictionaries(
        st.text(LETTERS, min_size=1, max_size=5),
        st.one_of(
            st.text(max_size=20), st.integers(-(10**18), 10**18), st.floats(allow_nan=False), st.none()
        ),
        max_size=4,
    )
)
def test_json_stays_json_with_the_same_names(in_sql: Callable[..., Any], values: dict[str, object]) -> None:
    document = json.dumps(values)

    kept = scrub_json(document)

    assert kept is None or set(json.loads(kept)) == set(values)
    assert in_sql(scrub_json_sql("x"), document) == kept


def test_a_bare_card_number_becomes_null() -> None:
    assert scrub_json('{"card": 4111111111111111, "n": 2}') == '{"card": null, "n": 2}'


def test_nothing_is_still_nothing(in_sql: Callable[..., Any]) -> None:
    assert in_sql(scrub_sql("x"), None) is None
    assert in_sql(scrub_json_sql("x"), None) is None


@pytest.mark.parametrize(
    "text",
    [
        "order 100234 of 2026-01-05 10:30:00, 3 pieces at 1,299.00 EUR",
        "on 05.01.2026 10:30 and 05/01/26, week 01-2026",
        "size 38-40, SKU AB12CDEF3456, EAN 4006381333931, chapter 5.2.2.1, version 3.10.1",
        "sent at 1767225600 or 1767225600000 or 2026-01-05T10:00:00.123456Z",
        '{"hour": 12, "affinity": 0.48237498123, "price": -1e-07, "ids": [12, 345, 6789]}',
        "#0012345678 and A-0012345678 are numbers of orders",
        "me @home, 5 @ 3.99",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert scrub(text) == text
