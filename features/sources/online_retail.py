"""UCI Online Retail I and II: the order lines of a gift wholesaler in the United Kingdom, CSV or Parquet.

An invoice that begins with C takes goods back: its lines are returns. One that begins
with another letter is an adjustment of the books, and so is a price of zero or below: quarantine. The same
item is on several lines of one invoice, with equal texts, so that the key of a line is its number in the
file. There are no visits and no clicks. 135,080 lines have no customer and stay without one.
Source: Chen, Sain & Guo 2012, Data mining for the online retail industry.
"""

from datetime import date
from pathlib import Path

from features.contracts.mapping import LINE, LogMapping, SourceFile
from features.contracts.refusal_marks import NOT_ABOVE_ZERO, OTHER_INVOICE, marked
from features.contracts.sql_text import identifier
from features.errors import InputDataError
from features.sources.folder import column_names, listed
from features.sources.local_time import utc_time
from features.sources.money import cents

CURRENCY_CODE = "GBP"
# The time zone of the tills, and the formats of times in exports of the original spreadsheet.
TIME_ZONE = "Europe/London"
TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M")

# Names of the same column in the two releases.
NAMES = {
    "invoice": ("InvoiceNo", "Invoice"),
    "item": ("StockCode",),
    "quantity": ("Quantity",),
    "at": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
    "country": ("Country",),
}


def files(folder: Path, *, until: date | None = None) -> tuple[SourceFile, ...]:  # noqa: ARG001
    """Return the CSV and Parquet files of the folder; each feeds purchases, items and users.

    until: part of every adapter's signature; it leaves out no file here, because a file holds a year.
        The warehouse leaves out rows after the night's date.
    Raises InputDataError when the folder holds no such file, or one with other columns.
    """
    paths = listed(folder, "*.csv", "*.csv.gz", "*.parquet", source="Online Retail")
    return tuple(_source_file(path) for path in paths)


def _source_file(path: Path) -> SourceFile:
    there = column_names(path)
    found = {meaning: next((name for name in names if name in there), "") for meaning, names in NAMES.items()}
    if missing := [" or ".join(NAMES[meaning]) for meaning, name in found.items() if not name]:
        raise InputDataError(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(there)}. Is it Online Retail?"
        )
    return SourceFile(
        path=path,
        name=path.name,
        file_format="parquet" if path.suffix == ".parquet" else "csv",
        required=frozenset(found.values()),
        logs=_logs({meaning: identifier(name) for meaning, name in found.items()}),
    )


def _logs(column: dict[str, str]) -> tuple[LogMapping, ...]:
    invoice, quantity, price = column["invoice"], column["quantity"], column["price"]
    # The spreadsheet's numbers came through floating point: 17850.0.
    customer = f"regexp_replace({column['customer']}, '[.]0$', '')"
    price_cents = f"""
        CASE WHEN TRY_CAST({price} AS DOUBLE) <= 0 THEN {marked(price, NOT_ABOVE_ZERO)}
            ELSE {cents(price, "currency")} END"""
    purchases = {
        "order_id": invoice,
        "line": LINE,
        "ordered_at": utc_time(column["at"], time_zone=TIME_ZONE, formats=TIME_FORMATS),
        "user_id": customer,
        "item_id": column["item"],
        "quantity": f"""
            CASE WHEN {invoice} NOT LIKE 'C%' THEN {quantity}
                WHEN {quantity} LIKE '-%' THEN substring({quantity}, 2) ELSE '-' || {quantity} END""",
        "price_cents": price_cents,
        "currency_code": f"'{CURRENCY_CODE}'",
        "is_cancelled": f"""
            CASE WHEN {invoice} LIKE 'C%' THEN 'true' WHEN regexp_matches({invoice}, '^[0-9]') THEN 'false'
                ELSE {marked(invoice, OTHER_INVOICE)} END""",
        "is_returned": f"CASE WHEN {invoice} LIKE 'C%' THEN 'true' ELSE 'false' END",
    }
    items = {"item_id": column["item"], "price_cents": price_cents, "currency_code": f"'{CURRENCY_CODE}'"}
    users = {"user_id": customer, "region": column["country"]}
    return (
        LogMapping("purchases", purchases),
        LogMapping("items", items, one_row_per_key=True),
        LogMapping("users", users, where=f"{customer} IS NOT NULL", one_row_per_key=True),
    )
