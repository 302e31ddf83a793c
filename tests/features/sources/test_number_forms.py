from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.contracts.refusal_marks import OTHER_NUMBER_FORM, SIGN, TWO_READINGS
from features.sources.money import cents, unmistakable_cents
from features.sources.number_forms import NumberForm, forms_of

DATABASE = duckdb.connect()
FORMS = [
    NumberForm(decimal, thousands, sign)
    for decimal in (".", ",")
    for thousands in ("", ".", ",", " ", "'")
    for sign in ("", "€", "$", "EUR")
    if thousands != decimal
]


def written(amount: Decimal, form: NumberForm) -> str:
    """Write an amount as a shop with that form does."""
    plain = f"{amount:,.2f}".replace(",", "T").replace(".", form.decimal).replace("T", form.thousands)
    return f"{plain} {form.currency_sign}".strip()


def read(text: str | None, form: NumberForm, *, is_share: bool = False) -> str | None:
    sql = f"SELECT {form.sql('said', is_share=is_share)} FROM (SELECT CAST(? AS VARCHAR) AS said)"
    [(said,)] = DATABASE.execute(sql, [text]).fetchall()
    return said


def in_cents(texts: list[str], form: NumberForm) -> list[int | None]:
    number = f"({form.sql('said')})"
    rows = DATABASE.execute(
        f"SELECT TRY_CAST({cents(number, 'currency')} AS BIGINT) FROM (SELECT unnest(?::VARCHAR[]) AS said)",
        [texts],
    ).fetchall()
    return [said for (said,) in rows]


AMOUNTS = st.lists(
    st.decimals(Decimal("-99999999.99"), Decimal("99999999.99"), places=2), min_size=1, max_size=20
)


@pytest.mark.parametrize("form", FORMS, ids=str)
@settings(max_examples=5, deadline=None)
@given(amounts=AMOUNTS)
def test_amounts_come_back_in_cents_and_their_form_is_seen(form: NumberForm, amounts: list[Decimal]) -> None:
    texts = [written(amount, form) for amount in amounts]
    truth = [int(amount * 100) for amount in amounts]

    found = forms_of(texts)

    assert in_cents(texts, form) == truth
    # Cents are always written, so that one decimal sign is left.
    assert [each.decimal for each in found] == [form.decimal]
    assert in_cents(texts, found[0]) == truth


@settings(max_examples=30, deadline=None)
@given(amounts=AMOUNTS, form=st.sampled_from(FORMS), other=st.sampled_from(FORMS))
def test_an_amount_of_another_form_is_refused_and_never_another_amount(
    amounts: list[Decimal], form: NumberForm, other: NumberForm
) -> None:
    found = in_cents([written(amount, form) for amount in amounts], other)

    for amount, said in zip(amounts, found, strict=True):
        assert said in {None, int(amount * 100)}


@settings(max_examples=30, deadline=None)
@given(whole=st.integers(1, 999), rest=st.integers(0, 999))
def test_a_point_before_three_digits_has_two_readings(whole: int, rest: int) -> None:
    text = f"{whole}.{rest:03}"

    assert [(form.decimal, form.thousands) for form in forms_of([text])] == [(".", ""), (",", ".")]
    [(said,)] = DATABASE.execute(
        f"SELECT {unmistakable_cents('said', 'currency')} FROM (SELECT CAST(? AS VARCHAR) AS said)", [text]
    ).fetchall()
    assert said == f"{text}{SIGN}{TWO_READINGS}"


@pytest.mark.parametrize(
    ("texts", "forms"),
    [
        (["12,50", "1.234,56"], [",."]),
        (["1.299", "19,90"], [","]),
        (["0.125", "0.5"], ["."]),
        (["1 019,90 €", "19,90 €"], [", "]),
        (["1\u202f019,90", "2,5"], [", "]),
        (["1'234.50"], [".'"]),
        (["1,234,567"], [".,"]),
        (["12", "7"], ["."]),
        (["€ 12.50", "$ 12.50"], []),
        (["free", "12"], []),
    ],
)
def test_what_a_few_texts_tell(texts: list[str], forms: list[str]) -> None:
    found = [form.decimal + form.thousands for form in forms_of(texts)]

    assert found == forms or (forms == [","] and found == [",."])


@pytest.mark.parametrize(
    ("text", "said"), [("45,5 %", "0.455"), ("4%", "0.04"), ("0,5", "0.5"), (None, None)]
)
def test_per_cent_is_a_share(text: str | None, said: str | None) -> None:
    found = read(text, NumberForm(","), is_share=True)

    assert (found is None) == (said is None)
    assert said is None or Decimal(str(found)) == Decimal(said)


@pytest.mark.parametrize("text", ["4 %", "12.50", "1,2,3", "--", "12,50 USD"])
def test_what_the_form_does_not_fit_is_reported(text: str) -> None:
    assert read(text, NumberForm(",")) == f"{text}{SIGN}{OTHER_NUMBER_FORM}"
