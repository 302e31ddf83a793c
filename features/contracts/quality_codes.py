"""What the night says of files, lines and columns: the codes of out_data_quality."""

from collections.abc import Mapping

from features.contracts.finding_units import Meaning, Unit
from features.contracts.value_shape import SHAPE

_OTHER_ROWS = {
    "log": Unit.NAME,
    "key": Unit.NAMES,
    "n_rows": Unit.COUNT,
    "first_line": Unit.COUNT,
    "newer": Unit.NAME,
    "n_newer": Unit.COUNT,
}
_ROBOTS = {
    "n_visits": Unit.COUNT,
    "most_acts": Unit.COUNT,
    "n_rows": Unit.COUNT,
    "robot_share": Unit.SHARE,
}

QUALITY: Mapping[str, Meaning] = {
    "no_lines": Meaning("the file holds no data lines"),
    "all_lines_loaded": Meaning("every line of the file was loaded"),
    "some_lines_rejected": Meaning("every line of the file was loaded, or has a reason in another row"),
    "first_rejected_line": Meaning(
        "the first line that breaks a rule, for these causes", {"line": Unit.COUNT}, has_causes=True
    ),
    "new_columns": Meaning("the file before it lacked these columns", {"names": Unit.NAMES}),
    "columns_gone": Meaning("the file before it had these columns", {"names": Unit.NAMES}),
    "columns_absent": Meaning(
        "the file lacks these columns, which the mapping can do without", {"names": Unit.NAMES}
    ),
    "mapping_changed": Meaning("read anew, because the mapping, the contract or the key has changed"),
    "mapping_or_join_changed": Meaning(
        "read anew, because the mapping, the contract, the key or the joined file has changed"
    ),
    "content_replaced": Meaning(
        "another content came under the same name", {"n_lines": Unit.COUNT, "n_lines_before": Unit.COUNT}
    ),
    "same_content": Meaning("its content is that of another file, which counts", {"other": Unit.NAME}),
    "lines_without_partner": Meaning(
        "n_alone of n_lines lines have no match in the file that they join",
        {"other": Unit.NAME, "key": Unit.NAMES, "n_alone": Unit.COUNT, "n_lines": Unit.COUNT},
    ),
    "days_far_apart": Meaning("a log of daily sums has only one day in this many", {"n_days": Unit.COUNT}),
    "late_rows": Meaning(
        "rows of these days came after the night that closed them",
        {"days": Unit.NAMES, "last_night": Unit.DATE},
    ),
    "restated_day": Meaning("rows gave way to those of a newer file of the same source", _OTHER_ROWS),
    "repeated_lines": Meaning("rows repeat a row that counts", _OTHER_ROWS),
    "later_rows": Meaning("rows gave way to a later row of the same key", _OTHER_ROWS),
    "equal_rows": Meaning(
        "rows that only their line numbers tell apart equal an earlier row, and count as well",
        {
            "log": Unit.NAME,
            "n_rows": Unit.COUNT,
            "first_line": Unit.COUNT,
            "earlier": Unit.NAME,
            "n_earlier": Unit.COUNT,
        },
    ),
    "robots_left_out": Meaning("visits are faster than people, and enter no table", _ROBOTS),
    "robots_kept": Meaning("visits are faster than people, but too many for robots, and are kept", _ROBOTS),
    "other_key": Meaning(
        "the rows of n_files files, this one the first, carry pseudonyms of another key than the present one",
        {"key": Unit.NAME, "n_files": Unit.COUNT, "n_lines": Unit.COUNT, "last": Unit.NAME},
    ),
    "unread_files": Meaning(
        "the names of n_files files, this one the first, differ only in digits from those of files that are "
        "read, and no table of the configuration reads them",
        {"n_files": Unit.COUNT, "last": Unit.NAME},
    ),
    "shown_rows_unchecked": Meaning(
        "rows say that they were served by lists of nights that are gone, and are not compared with them",
        {"n_rows": Unit.COUNT},
    ),
    "noted_before": Meaning(
        "an earlier version of metacart noted this about the file", {"rule": Unit.NAME, "said": Unit.NAME}
    ),
}
"""What is said of a file: one row of out_data_quality has one of them."""

_BOUNDS = {
    "above": Unit.NUMBER,
    "at_least": Unit.NUMBER,
    "below": Unit.NUMBER,
    "at_most": Unit.NUMBER,
}
_TWO = {"digits": Unit.COUNT, "other": Unit.NAME, "other_digits": Unit.COUNT}

REJECTIONS: Mapping[str, Meaning] = {
    "value_missing": Meaning("the column has no value and must have one"),
    "not_one_of": Meaning("the value is none of these words", {**SHAPE, "words": Unit.NAMES}),
    "not_a_whole_number": Meaning("the value is not a whole number", SHAPE),
    "not_a_number": Meaning("the value is not a number", SHAPE),
    "not_finite": Meaning("the value is not a finite number", SHAPE),
    "not_a_flag": Meaning("the value is none of true, false, 1 and 0", SHAPE),
    "not_a_time": Meaning("the value is not a time with its offset", SHAPE),
    "not_a_day": Meaning("the value is not a day", SHAPE),
    "hour_skipped": Meaning("the clocks of the file's time zone never showed this time", SHAPE),
    "hour_twice": Meaning("the clocks of the file's time zone showed this time twice", SHAPE),
    "other_number_form": Meaning("the number is not written as the mapping says", SHAPE),
    "two_readings": Meaning("the point of the amount may be a decimal point or part thousands", SHAPE),
    "not_above_zero": Meaning("the price of a sale is not above zero", SHAPE),
    "other_invoice": Meaning("the invoice names neither a sale nor a cancellation", SHAPE),
    "not_an_amount": Meaning("the value is not an amount of at most 18 digits before the point", SHAPE),
    "empty_text": Meaning("the value is an empty text, control characters left aside"),
    "text_too_long": Meaning(
        "the text has more characters than the limit", {"characters": Unit.COUNT, "most": Unit.COUNT}
    ),
    "not_of_form": Meaning("the text does not match a regular expression", {**SHAPE, "form": Unit.NAME}),
    "outside_bounds": Meaning("the number is outside of its bounds", {**SHAPE, **_BOUNDS}),
    "above_other": Meaning(
        "the number is above that of another column of the line; digits: of both numbers", _TWO
    ),
    "product_too_large": Meaning(
        "the product with another column of the line is too large; digits: of both numbers",
        {**_TWO, "most": Unit.NUMBER},
    ),
    "before_first_day": Meaning(
        "the time lies before the shop's first day, by less than this many years",
        {"years": Unit.COUNT, "first_day": Unit.DATE},
    ),
    "after_receipt": Meaning(
        "the time lies after the file was received, by less than this many years",
        {"years": Unit.COUNT, "received_at": Unit.TIME},
    ),
    "day_is_closed": Meaning(
        "an earlier night has closed the day",
        {"n_days": Unit.COUNT, "first_open": Unit.DATE, "last_night": Unit.DATE},
    ),
    "price_far_off": Meaning(
        "the price is this many times off the item's median price, or more; digits: of the price",
        {"digits": Unit.COUNT, "usual": Unit.NUMBER, "factor": Unit.COUNT},
    ),
    "not_what_was_served": Meaning(
        "the row has a policy_version that metacart gave, or a run_id, and no published list has it so; "
        "night: of the newest list that it was compared with; logged, published: propensities, where nothing "
        "else differs",
        {"night": Unit.DATE, "logged": Unit.NUMBER, "published": Unit.NUMBER},
    ),
    "nobody_published": Meaning(
        "the value has the form of those that metacart gives, and is of no night that had published it "
        "before the row was shown"
    ),
    "negative_sum": Meaning("the column's sum over the lines of the same day and key is negative"),
    "too_few_fields": Meaning("the line has fewer fields than the header"),
    "too_many_fields": Meaning("the line has more fields than the header"),
    "quote_not_closed": Meaning("a quoted field does not end where it should"),
    "not_utf8": Meaning("the line is not UTF-8"),
    "line_too_long": Meaning("the line is too long"),
    "unreadable_line": Meaning("the line can't be read as CSV; error: DuckDB's word", {"error": Unit.NAME}),
    "not_an_object": Meaning("the line is not a JSON object"),
    "no_partner": Meaning(
        "the line has no match in the file that it joins, which may be why",
        {"other": Unit.NAME, "key": Unit.NAMES},
    ),
    "person_erased": Meaning("the line was about a person who was erased"),
    "quote_removed": Meaning("an earlier version of metacart quoted the line, and the quote was removed"),
    "rejected_before": Meaning(
        "an earlier version of metacart rejected the line by this rule; said: empty, it quoted the line",
        {"rule": Unit.NAME, "said": Unit.NAME},
    ),
}
"""Why a line is not loaded: the subject is the column, where one is to blame, else the line.

None of them carries a text of the line: a column may be shifted, and then any text may name a person.
"""

EXAMPLES: Mapping[str, Meaning] = {
    "example_line": Meaning("the shapes of the columns of a rejected line", has_causes=True),
    "value_shape": Meaning("the column has a value of this shape", SHAPE),
    "value_absent": Meaning("the column has no value"),
}
"""What is shown of a rejected line."""

TRIALS: Mapping[str, Meaning] = {
    "lines_rejected": Meaning(
        "n_rejected of n_lines lines of the file are rejected, for this cause",
        {"n_rejected": Unit.COUNT, "n_lines": Unit.COUNT},
        has_causes=True,
    ),
    "more_rows": Meaning("n_rows further rows of a table are not printed", {"n_rows": Unit.COUNT}),
    "lines_refused": Meaning(
        "n_lines lines of a trial are refused, the first for this cause",
        {"n_lines": Unit.COUNT},
        has_causes=True,
    ),
    "column_empty": Meaning("the column is empty in every row of a trial"),
    "flag_never_true": Meaning("the column is true in no row of a trial"),
    "often_empty": Meaning(
        "the column is empty in many rows of a trial", {"n_empty": Unit.COUNT, "n_rows": Unit.COUNT}
    ),
}
"""What the terminal says of the lines of a file, after a night and after a trial of `metacart init`."""
