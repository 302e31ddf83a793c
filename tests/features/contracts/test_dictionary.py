from pathlib import Path

import dataframely as dy
import pytest

from features.contracts.dictionary import BEGIN, END, data_dictionary, table, with_dictionary
from features.contracts.logs import LOGS
from features.contracts.outputs import OUTPUTS

README = Path(__file__).parents[3] / "features" / "README.md"


def test_the_readme_holds_the_current_dictionary() -> None:
    """To bring it up to date, write `with_dictionary(page)` back to the page."""
    page = README.read_text()

    assert with_dictionary(page) == page


def test_every_table_and_column_is_described() -> None:
    text = data_dictionary()

    for name, schema in (LOGS | OUTPUTS).items():
        _, _, section = text.partition(f"### {name}\n")
        section = section.partition("###")[0]
        assert [
            row.split("`")[1] for row in section.splitlines() if row.startswith("| `")
        ] == schema.column_names()


def test_a_row_tells_type_unit_range_and_meaning() -> None:
    text = data_dictionary()

    assert (
        "| `propensity` | Float64 | probability | > 1e-12, ≤ 1 | yes | probability of this action in this "
        "slot under the policy that served it |"
    ) in text
    assert "(personal)" in text


def test_only_the_place_between_the_marks_changes() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert with_dictionary(page) == f"before\n{data_dictionary()}\nafter\n"
    with pytest.raises(ValueError, match="no place for the data dictionary"):
        with_dictionary("a page without marks")


def test_what_becomes_of_a_telling_column_is_said() -> None:
    class Telling(dy.Schema):
        """One row. Grain: signup."""

        signup = dy.Date(description="first visit", metadata={"generalize": "day"})
        notes = dy.String(description="what was said", metadata={"personal": True, "free_text": "text"})

    text = table("telling", Telling)

    assert "| first visit (stored by day) |" in text
    assert "| what was said (personal, scrubbed) |" in text
