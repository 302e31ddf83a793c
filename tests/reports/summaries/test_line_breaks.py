import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from reports.summaries.line_breaks import breakable, wrapping


@given(st.text())
def test_a_breakable_text_is_the_escaped_text_with_breaks_after_bars_alone(text: str) -> None:
    found = breakable(text)

    assert str(found).replace("<wbr>", "") == str(escape(text))
    assert found.count("<wbr>") == found.count("|<wbr>") == text.count("|")


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("region=northeast|device=desktop", ""),
        ("surface=women|user_feature_0=81ce123c|hour=evening", "wraps"),
        ("a sentence of many words that is longer than a line", "wraps"),
        ("x" * 41, "wraps endless"),
    ],
)
def test_only_texts_with_an_endless_piece_break_inside_a_word(text: str, style: str) -> None:
    assert wrapping(text) == style
