"""English: what the night says of files, lines and columns.

Sentences of this kind begin in lower case and have no stop: in the terminal a file's name stands before them.
"""

_ROWS = "{n_rows}, the first on line {first_line}"
_EQUAL = (
    f"{_ROWS}; each of them counts, because only the lines' numbers tell them apart. If exports overlap, "
    "export each order once, or name the column that numbers the lines of an order"
)
_ROBOTS = (
    "visits at the rate of robots: {n_visits}, with {most_acts} acts in five minutes at most; "
    "their rows: {n_rows}"
)
_OUTSIDE = "{subject} is {value}; it must be {bounds}"

QUALITY = {
    "no_lines": "the file holds no data lines",
    "all_lines_loaded": "every line was loaded",
    "some_lines_rejected": "every line was loaded or has a reason below",
    "first_rejected_line": "line {line}: {causes}",
    "new_columns": "the file has {names}; the file before it had not",
    "columns_gone": "the file has no {names}; the file before it had",
    "columns_absent": "the file has no {names}, which reads as null in every line",
    "mapping_changed": "the mapping, the contract or the key has changed",
    "mapping_or_join_changed": "the mapping, the contract, the key or the file that it joins has changed",
    "content_replaced": "the file holds {n_lines} lines in place of the {n_lines_before} that it held before",
    "same_content": "its content is the same as that of {other}, and counts once",
    "lines_without_partner": (
        "without a partner in {other} by {key}: {n_alone} of {n_lines} lines; its columns are null in these "
        "lines"
    ),
    "days_far_apart": (
        "its days are {n_days} days apart: if each line is the sum of {n_days} days, each day's spend or "
        "revenue is that of {n_days} days; divide the amounts among the days, or keep this in mind"
    ),
    "late_rows": "rows of {days} came after the night of {last_night:%Y-%m-%d}",
    "restated_day": f"rows of {{log}} that gave way to those of {{newer}} or other files: {_ROWS}",
    "restated_day.one": f"rows of {{log}} that gave way to those of {{newer}}: {_ROWS}",
    "repeated_lines": f"rows of {{log}} that repeat a row of {{newer}} or other files: {_ROWS}",
    "repeated_lines.one": f"rows of {{log}} that repeat a row of {{newer}}: {_ROWS}",
    "later_rows": f"rows of {{log}} that gave way to a later row of {{newer}} or other files: {_ROWS}",
    "later_rows.one": f"rows of {{log}} that gave way to a later row of {{newer}}: {_ROWS}",
    "equal_rows": f"rows of {{log}} that equal an earlier row of {{earlier}} or other files: {_EQUAL}",
    "equal_rows.one": f"rows of {{log}} that equal an earlier row of {{earlier}}: {_EQUAL}",
    "robots_left_out": f"{_ROBOTS}; they enter no table",
    "robots_kept": (
        f"{_ROBOTS}; they hold {{robot_share:.0%}} of all rows, too many for robots, and are kept. Does "
        "session_id name a visit?"
    ),
    "other_key": (
        "its rows and those of other files carry pseudonyms of another key ({key}): {n_files:,} files with "
        "{n_lines:,} loaded lines, the last one {last}. Users in them can't be linked with users of the "
        "present key. Put the files back to have them read again, or restore the old key"
    ),
    "other_key.one": (
        "its {n_lines:,} loaded lines carry pseudonyms of another key ({key}). Users in them can't be linked "
        "with users of the present key. Put the file back to have it read again, or restore the old key"
    ),
    "unread_files": (
        "it and other files, {n_files:,} with names like those of files that are read, up to {last}, are "
        "read by no [[files]] table. Widen its path so that it fits them, for example with a * for the date"
    ),
    "unread_files.one": (
        "its name is like those of files that are read, but no [[files]] table reads it. Widen the path so "
        "that it fits, for example with a * for the date"
    ),
    "shown_rows_unchecked": (
        "rows of lists that could not be compared with what was published, because no such list is left from "
        "that time: {n_rows:,}; they count as they were logged"
    ),
    "noted_before": "{said}",
}
"""Code of a row of out_data_quality → its sentence."""

TRIALS = {
    "lines_rejected": "{n_rejected:,} of {n_lines:,} lines rejected: {causes}",
    "more_rows": "and {n_rows:,} more in {subject}",
    "lines_refused": "{n_lines:,} lines refused, first {causes}",
    "lines_refused.one": "1 line refused, first {causes}",
    "column_empty": "{subject} is empty in every row",
    "flag_never_true": "{subject} is never true",
    "often_empty": "{subject} is empty in {n_empty:,} of {n_rows:,} rows",
}
"""What the terminal says of lines."""

PLURALS = {
    **dict.fromkeys(("restated_day", "repeated_lines", "later_rows"), "n_newer"),
    "equal_rows": "n_earlier",
    "lines_refused": "n_lines",
    **dict.fromkeys(("other_key", "unread_files"), "n_files"),
    **dict.fromkeys(("before_first_day", "after_receipt"), "years"),
    **dict.fromkeys(("value.text", "value.number", "value.address"), "characters"),
}

REJECTIONS = {
    "value_missing": "{subject} is missing",
    "not_one_of": "{subject} is {value}; it must be one of {words}",
    "not_a_whole_number": "{subject} is {value}; it must be a whole number",
    "not_a_number": "{subject} is {value}; it must be a number",
    "not_finite": "{subject} is {value}; it must be finite",
    "not_a_flag": "{subject} is {value}; it must be true, false, 1 or 0",
    "not_a_time": "{subject} is {value}; it must be a time with its offset, as in 2026-01-05T10:00:00Z",
    "not_a_day": "{subject} is {value}; it must be a day, as in 2026-01-05",
    "hour_skipped": "{subject} is {value} in an hour that was skipped when clocks changed in its time zone",
    "hour_twice": "{subject} is {value} in an hour that came twice when clocks changed in its time zone",
    "other_number_form": (
        "{subject} is {value} that is not written with the decimal, thousands and currency_sign of its "
        "[[files]] table"
    ),
    "two_readings": ('{subject} is {value} that may mean thousands: set decimal = "." or thousands = "."'),
    "not_above_zero": "{subject} is {value}; the price of a sale must be above 0",
    "other_invoice": "{subject} is unknown: the invoice, {value}, names neither a sale nor a cancellation",
    "not_an_amount": "{subject} is {value}; it must be an amount of money",
    "empty_text": "{subject} is an empty text",
    "text_too_long": "{subject} has {characters:,} characters; it may have {most:,}",
    "not_of_form": "{subject} is {value}; it must look like {form}",
    "outside_bounds": _OUTSIDE,
    "above_other": (
        "{subject} is above {other} (digits: {digits} and {other_digits}); it must be at most {other}"
    ),
    "product_too_large": (
        "{subject} times {other} (digits: {digits} and {other_digits}) must be at most {most}"
    ),
    "before_first_day": (
        "{subject} lies before shop.first_day, {first_day:%Y-%m-%d}, by less than {years:,} years. Is it a "
        "count since 1970 in another unit, or an empty date?"
    ),
    "before_first_day.one": (
        "{subject} lies before shop.first_day, {first_day:%Y-%m-%d}, by less than a year. Is it a count "
        "since 1970 in another unit, or an empty date?"
    ),
    "after_receipt": (
        "{subject} lies after {received_at:%Y-%m-%d %H:%M} UTC, when the file was received, by less than "
        "{years:,} years. Is it a count since 1970 in another unit, a day and month exchanged, or another "
        "time zone?"
    ),
    "after_receipt.one": (
        "{subject} lies after {received_at:%Y-%m-%d %H:%M} UTC, when the file was received, by less than a "
        "year. Is it a count since 1970 in another unit, a day and month exchanged, or another time zone?"
    ),
    "day_is_closed": (
        "{subject} comes too late: the days before {first_open:%Y-%m-%d} were closed by the night of "
        "{last_night:%Y-%m-%d}"
    ),
    "price_far_off": (
        "{subject} has {digits} digits; the usual price of this item is {usual}. Is a decimal point read as "
        "a thousands separator, or the other way round?"
    ),
    "not_what_was_served": (
        "not what was served: {subject} is {logged:.9g}, and the night of {night:%Y-%m-%d} published "
        "{published:.9g} there"
    ),
    "not_what_was_served.unknown": (
        "not what was served: the lists of the night of {night:%Y-%m-%d} have no such {subject} there"
    ),
    "nobody_published": (
        "{subject} is of a night that this shop had not published before that day, or has taken back: log "
        "what the published table says, or publish the night again"
    ),
    "negative_sum": "{subject} adds up to less than 0 over the lines of its key: the credits exceed the day",
    "too_few_fields": "the line has fewer fields than the header",
    "too_many_fields": "the line has more fields than the header",
    "quote_not_closed": "a quoted field does not end where it should",
    "not_utf8": "the line is not UTF-8",
    "line_too_long": "the line is too long",
    "unreadable_line": "{error}",
    "not_an_object": "the line is not a JSON object",
    "no_partner": "{other} has no line with its {key}",
    "person_erased": "the line is about a person who was erased",
    "quote_removed": "what {subject} held is not kept any more",
    "rejected_before": "it broke this rule",
}
"""Code of a rejected line → what is wrong with it, after the line's number."""

EXAMPLES = {
    "example_line": "the line has {causes}",
    "value_shape": "{value} as {subject}",
    "value_absent": "nothing as {subject}",
}
"""What is shown of a rejected line: shapes, and no text of it."""

TEXTS = {
    "value.share_below": "below {limit}",
    "value.text": "a text of {characters} characters",
    "value.text.one": "a text of 1 character",
    "value.number": "a number of {characters} characters",
    "value.number.one": "a number of 1 character",
    "value.address": "a text of {characters} characters with an @",
    "value.address.one": "a text of 1 character, an @",
}
"""The shape of a value."""

BOUNDS = {
    "above": "above {above:,}",
    "at_least": "at least {at_least:,}",
    "below": "below {below:,}",
    "at_most": "at most {at_most:,}",
}
"""A bound of `outside_bounds` → how it is said; a number may have two."""

_FIELDS = "a line has as many fields as the header"
_REREAD = "same file, read anew"
_RECONCILED = "loaded = lines - rejected"
_PEOPLE = "people are slower than 150 acts in five minutes"

RULES = {
    "no_lines": _RECONCILED,
    "all_lines_loaded": _RECONCILED,
    "some_lines_rejected": _RECONCILED,
    "new_columns": "new column",
    "columns_gone": "column gone",
    "columns_absent": "optional column",
    "mapping_changed": _REREAD,
    "mapping_or_join_changed": _REREAD,
    "content_replaced": "same name, other content",
    "same_content": "same content twice",
    "lines_without_partner": "line without a partner",
    "days_far_apart": "days far apart",
    "late_rows": "late rows",
    "restated_day": "a day counts as its newest file states it",
    "repeated_lines": "a line that comes twice counts once",
    "later_rows": "one row for each {key}",
    "equal_rows": "a purchase is exported once",
    "robots_left_out": _PEOPLE,
    "robots_kept": _PEOPLE,
    "other_key": "all rows carry pseudonyms of one key",
    "unread_files": "files of one kind are all read",
    "shown_rows_unchecked": "what was shown is compared with what was published",
    "noted_before": "{rule}",
    "value_missing": "{subject} must be there",
    "not_one_of": "{subject} must be one of {words}",
    "not_a_whole_number": "{subject} must be a whole number",
    "not_a_number": "{subject} must be a number",
    "not_finite": "{subject} must be finite",
    "not_a_flag": "{subject} must be true, false, 1 or 0",
    "not_a_time": "{subject} must be a time with its offset, as in 2026-01-05T10:00:00Z",
    "not_a_day": "{subject} must be a day, as in 2026-01-05",
    "hour_skipped": "{subject} must be a time that clocks showed",
    "hour_twice": "{subject} must be a time that clocks showed once",
    "other_number_form": "{subject} must be written as the mapping says",
    "two_readings": "{subject} must have one reading",
    "not_above_zero": "{subject} of a sale must be above 0",
    "other_invoice": "{subject} must follow from the invoice",
    "not_an_amount": "{subject} must be an amount",
    "empty_text": "{subject} must not be empty",
    "text_too_long": "{subject} must have at most {most:,} characters",
    "not_of_form": "{subject} must look like {form}",
    "outside_bounds": "{subject} must be {bounds}",
    "above_other": "{subject} must be at most {other}",
    "product_too_large": "{subject} times {other} must be at most {most}",
    "before_first_day": "{subject} must not lie before the shop's first day",
    "after_receipt": "{subject} must not lie after the file was received",
    "day_is_closed": "{subject} must not lie before the {n_days} last closed days",
    "price_far_off": "price_cents must lie within {factor} times the item's median price",
    "not_what_was_served": "{subject} is as the night of {night:%Y-%m-%d} published it",
    "nobody_published": "{subject} is of a published night",
    "negative_sum": "the sums of a day must not be negative",
    "too_few_fields": _FIELDS,
    "too_many_fields": _FIELDS,
    "quote_not_closed": "a field that opens with a quote closes with one",
    "not_utf8": "text is UTF-8",
    "line_too_long": "a line has at most limits.max_line_bytes bytes",
    "unreadable_line": "a line is readable CSV",
    "not_an_object": "a line is a JSON object",
    "person_erased": "the line is about a person who was erased",
    "quote_removed": "a line is quoted nowhere",
    "rejected_before": "{rule}",
}
"""Code → the rule behind it, the same for every line that breaks it."""
