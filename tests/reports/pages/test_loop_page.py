"""The page of closed loops: goals as they are, and nothing that runs or loads."""

import re
from html import unescape

import pytest

from reports.pages.loop import goals_markdown, loop_html
from reports.render import csp_hash
from reports.summaries.loop_outcome import LoopOutcome
from tests.reports.page_reader import read
from tests.reports.sample_loops import LOOPS, NULLS

PAGE = loop_html(LOOPS)


def words(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def test_goals_are_said_with_their_figures() -> None:
    said = words(PAGE)
    assert "Goals met: 4 of the 7 that these loops can judge; 8 more can't be judged." in said
    assert (
        "✓ Met In mild, at least 80 % of the gap is closed after 20 nights. metacart closed 83 %, single "
        "shops 70 % to 90 % (shops: 3; mean of the last nights, 5 of 20)."
    ) in said
    assert "✕ Not met In mild, the mean over shops is on no night more than 1 % below" in said
    assert "On its worst night, night 2, it was at −2.1 %; over all nights (20) at +30 %" in said
    assert "That is 75 % of what was lost (shops: 3)." in said
    assert "In null, at most 1 promotion in 10 shops of 60 nights. These loops have no shop" in said
    assert "It takes 10 shops of 60 nights. So far: Promotions: 0 (shops: 3, nights of each: 20)" in said
    assert "It takes 13 nights, and these loops end with night 9." in said


def test_goals_stand_as_text_too() -> None:
    text = goals_markdown(LOOPS)
    assert text.startswith("# Closed loops of simulated shops\n\nShops of 600 users.")
    assert "\n- ✕ Not met. In mild, the mean over shops is on no night more than" in text
    assert text.count("\n- ") == len(LOOPS.goals)


def test_a_world_shows_every_way_and_why_the_gate_stayed_closed() -> None:
    said = words(PAGE)
    assert (
        "Share of the gap closed on the last nights: metacart 83 %, metacart without exploring 83 %" in said
    )
    assert "93 % (88 % to 98 %)" in said
    assert "Nights on which metacart promoted nothing: 5." in said
    assert "no_gain_shown 4 80 %" in said
    assert "Tastes jump on night 8, at the line." in said
    assert "The ways have no shop in common" in said


def test_where_all_policies_earn_the_same_the_page_says_so() -> None:
    assert "Nothing can be gained here." in words(loop_html(NULLS))


@pytest.mark.parametrize("outcome", [LOOPS, NULLS])
def test_the_page_is_sound_and_the_same_bytes_again(outcome: LoopOutcome) -> None:
    page = loop_html(outcome)
    found = read(page)
    assert (found.mistakes, found.open) == ([], [])
    assert len(found.ids) == len(set(found.ids))
    assert {target[1:] for target in found.targets} <= set(found.ids)
    assert loop_html(outcome) == page


def test_nothing_runs_and_nothing_loads() -> None:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    (style,) = re.findall(r"<style>(.*?)</style>", PAGE, flags=re.DOTALL)
    assert found
    assert found.group(1).replace("&#39;", "'") == f"default-src 'none'; style-src '{csp_hash(style)}'"
    assert "<script" not in PAGE and "<button" not in PAGE
    assert "http://" not in PAGE and "https://" not in PAGE
    assert not re.search(r"<[^>]* (?:style|src)=", PAGE)
