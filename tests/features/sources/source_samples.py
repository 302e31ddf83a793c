"""A few lines in the form of every source."""

import gzip
import json
from pathlib import Path

import polars as pl

from features.contracts.mapping import SourceFile
from features.sources import (
    criteo_attribution,
    declared,
    online_retail,
    open_bandit,
    otto,
    rees46,
    retailrocket,
)
from features.sources.file_tables import parse_file_tables
from tests.laws.sources import SourceSample

OPEN_BANDIT_HEADER = (
    ",timestamp,item_id,position,click,propensity_score,"
    "user_feature_0,user_feature_1,user_feature_2,user_feature_3\n"
)
OPEN_BANDIT = (
    OPEN_BANDIT_HEADER
    + "0,2019-11-24 00:00:17.004101+00:00,7,1,0,0.03,a,b,c,d\n"
    + "1,2019-11-24 00:00:18.004101+00:00,3,2,1,0.03,a,b,c,d\n"
)

REES46_HEADER = (
    "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\r\n"
)
REES46 = (
    REES46_HEADER
    + "2019-10-01 00:00:00 UTC,view,1004767,205,electronics.smartphone,samsung,254.82,541312140,d1f2\r\n"
    + "2019-10-01 00:00:05 UTC,cart,1004767,205,electronics.smartphone,samsung,254.82,541312140,d1f2\r\n"
    + "2019-10-01 00:01:00 UTC,purchase,1004767,205,electronics.smartphone,samsung,254.82,541312140,d1f2\r\n"
    + "2019-10-01 00:01:00 UTC,purchase,1004767,205,electronics.smartphone,samsung,254.82,541312140,d1f2\r\n"
    + "2019-10-01 00:01:02 UTC,view,3900821,206,,,0.00,554748717,\r\n"
)

RETAILROCKET = (
    "timestamp,visitorid,event,itemid,transactionid\n"
    "1433221332117,257597,view,355908,\n"
    "1433221999827,257597,addtocart,355908,\n"
    "1433222276276,257597,transaction,355908,4000\n"
    "1433222276276,257597,transaction,15335,4000\n"
)
ITEM_PROPERTIES = (
    "timestamp,itemid,property,value\n"
    "1435460400000,355908,categoryid,1338\n"
    "1435460400000,355908,888,1116713 960601 n277.200\n"
    "1439089200000,355908,categoryid,1339\n"
)

ONLINE_RETAIL_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
ONLINE_RETAIL = (
    ONLINE_RETAIL_HEADER
    + "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    + "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    + "C536379,D,Discount,-1,12/1/2010 9:41,27.50,14527,United Kingdom\n"
    + "536414,22139,,56,7/1/2011 11:52,1.25,,France\n"
)

OTTO = [
    {
        "session": 12899779,
        "events": [
            {"aid": 59625, "ts": 1661724000278, "type": "clicks"},
            {"aid": 59625, "ts": 1661724058352, "type": "carts"},
            {"aid": 59625, "ts": 1661724109199, "type": "orders"},
            {"aid": 1142000, "ts": 1661724109199, "type": "orders"},
        ],
    },
    {"session": 12899780, "events": []},
]

CRITEO_COLUMNS = (
    "timestamp uid campaign conversion conversion_timestamp conversion_id attribution click click_pos "
    "click_nb cost cpo time_since_last_click cat1"
)
CRITEO_ROWS = (
    "0 20073966 22589171 0 -1 -1 0 0 -1 -1 0.00001 0.390794 -1 5824233",
    "2 24607497 884761 1 1449193 3063962 1 1 0 2 0.0021 0.271 423858 30763035",
    "9 24607497 884761 1 1449193 3063962 1 1 1 2 0.0021 0.271 423858 30763035",
)

DECLARED = [
    {
        "path": "visits/*.jsonl.gz",
        "time_zone": "Europe/Berlin",
        "impressions": {
            "ids": {"impression_id": ["visit", "place"]},
            "columns": {
                "shown_at": "at",
                "user_id": "who",
                "session_id": "visit",
                "slot": "place",
                "item_id": "sku",
            },
            "expressions": {"surface": "lower(page)", "context": "json_value(request, '$.weather')"},
            "constants": {"propensity": 0.25, "policy_version": "coin"},
        },
        "events": {
            "where": "clicked = 'true'",
            "ids": {"event_id": "row number", "impression_id": ["visit", "place"]},
            "columns": {"occurred_at": "at", "user_id": "who", "session_id": "visit", "item_id": "sku"},
            "constants": {"event_type": "click"},
        },
    },
]
VISIT = {"visit": "v1", "at": "2026-07-01 10:00", "page": "HOME", "sku": "shoe"}


def json_lines(*lines: object) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def tab_separated(*rows: str) -> str:
    return "".join("\t".join(row.split(" ")) + "\n" for row in (CRITEO_COLUMNS, *rows))


def declared_files(folder: Path) -> tuple[SourceFile, ...]:
    return declared.files(folder, parse_file_tables(DECLARED))


def declared_lines(*changes: dict[str, object]) -> bytes:
    lines = [VISIT | {"place": place} | change for place, change in enumerate(changes, start=1)]
    return gzip.compress(json_lines(*lines).encode(), mtime=0)


def as_parquet(text: str, path: Path) -> None:
    """Write CSV as Parquet in the way in which spreadsheets are exported: numbers as floating point."""
    frame = pl.read_csv(text.encode(), infer_schema=False)
    frame.with_columns(
        pl.col("CustomerID", "UnitPrice").cast(pl.Float64),
        pl.col("Quantity").cast(pl.Int64),
        pl.col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M").dt.cast_time_unit("ns"),
    ).write_parquet(path)


SAMPLES = (
    SourceSample(
        name="open_bandit",
        files=open_bandit.files,
        content={"random/men/men.csv": OPEN_BANDIT},
        n_rows={"impressions": 2, "events": 1},
        broken=("random/men/men.csv", OPEN_BANDIT.replace("3,2,1,0.03", "3,2,1,0")),
        said=(3, "propensity is a number of 1 character; it must be above 1e-12"),
    ),
    SourceSample(
        name="rees46",
        files=rees46.files,
        content={"2019-Oct.csv": REES46},
        n_rows={"events": 3, "purchases": 2, "items": 2},
        # As the public excerpt ends: in the middle of a line.
        broken=("2019-Oct.csv", REES46 + "2019-10-01 00:01:02 UTC,view,3900821,206,a,b,1.00,5547"),
        said=(7, "the line has fewer fields than the header"),
        user_ids=("541312140", "554748717"),
    ),
    SourceSample(
        name="retailrocket",
        files=retailrocket.files,
        content={"events.csv": RETAILROCKET, "item_properties_part1.csv": ITEM_PROPERTIES},
        n_rows={"events": 2, "purchases": 2, "items": 1},
        broken=("events.csv", RETAILROCKET + "1433222276276,1,wish,15335,\n"),
        said=(6, "event_type is a text of 4 characters; it must be one of"),
        user_ids=("257597",),
    ),
    SourceSample(
        name="online_retail",
        files=online_retail.files,
        content={"data.csv": ONLINE_RETAIL},
        n_rows={"purchases": 4, "items": 3, "users": 2},
        broken=("data.csv", ONLINE_RETAIL + "536414,22139,,1,12/1/2010 11:52,0.0,,United Kingdom\n"),
        said=(6, "price_cents is a number of 3 characters; the price of a sale"),
        user_ids=("17850", "14527"),
    ),
    SourceSample(
        name="otto",
        files=otto.files,
        content={"train.jsonl": json_lines(*OTTO)},
        n_rows={"events": 2, "purchases": 2},
        broken=(
            "train.jsonl",
            json_lines(
                *OTTO,
                {"session": 3, "events": [*OTTO[0]["events"], {"aid": 1, "ts": "soon", "type": "clicks"}]},
            ),
        ),
        said=(3, "occurred_at is a text of 4 characters; it must be a time"),
    ),
    SourceSample(
        name="criteo_attribution",
        files=criteo_attribution.files,
        content={"pcb.tsv": tab_separated(*CRITEO_ROWS)},
        n_rows={"ad_impressions": 3},
        broken=("pcb.tsv", tab_separated(*CRITEO_ROWS, CRITEO_ROWS[0].replace("0.00001", "-1"))),
        said=(5, "cost_cents is a number of 8 characters; it must be at least 0"),
        user_ids=("20073966", "24607497"),
    ),
    SourceSample(
        name="declared",
        files=declared_files,
        content={
            "visits/1.jsonl.gz": declared_lines(
                {"who": "ann", "clicked": True}, {"request": {"weather": "rain"}}
            )
        },
        n_rows={"impressions": 2, "events": 1},
        broken=(
            "visits/1.jsonl.gz",
            declared_lines({"who": "ann", "clicked": True}, {"at": "2026-03-29 02:30", "clicked": False}),
        ),
        said=(2, "shown_at is a text of 19 characters in an hour that was skipped"),
        user_ids=("ann",),
    ),
)
