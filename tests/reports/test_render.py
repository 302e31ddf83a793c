import re

import pytest
from jinja2 import UndefinedError

from reports.pages import report_html
from reports.render import csp_hash, render
from reports.wording.language import LANGUAGE
from tests.reports.sample_nights import tiny_night

TINY = tiny_night()
PAGE = report_html(TINY.tables, TINY.manifest)


def policy_of(page: str) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found
    return found.group(1).replace("&#39;", "'")


@pytest.mark.parametrize("tag", ["style", "script"])
def test_the_policy_lets_through_this_very_style_and_script(tag: str) -> None:
    (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, flags=re.DOTALL)

    assert f"{tag}-src '{csp_hash(inside)}'" in policy_of(PAGE)


def test_nothing_else_may_load() -> None:
    assert policy_of(PAGE).startswith("default-src 'none'; ")
    assert "unsafe" not in policy_of(PAGE)


def test_no_style_attribute_would_be_blocked() -> None:
    assert not re.search(r"<[^>]* style=", PAGE)


def test_a_template_that_lacks_a_value_fails_instead_of_printing_nothing() -> None:
    with pytest.raises(UndefinedError):
        render("report.html.j2", LANGUAGE)
