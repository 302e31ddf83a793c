import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import features.context
from features.context import EMBEDDING, HISTORY, POPULARITY, expand, fit_encoder
from features.errors import InputDataError
from features.warehouse.build import HALF_LIFE_DAYS
from features.warehouse.popularity import PRIOR_IMPRESSIONS
from features.warehouse.store import SQL
from features.warehouse.touches import AMOUNTS, MOST_ITEMS


def test_numbers_are_scaled_on_the_training_window_alone():
    # The training values have mean 2 and standard deviation sqrt(2).
    encoder = fit_encoder(pl.DataFrame({"age": [1.0, 3.0]}), ["age"], min_rows=1)
    later = encoder.encode(pl.DataFrame({"age": [2.0, 2.0 + np.sqrt(2.0), None, float("nan")]}))
    np.testing.assert_allclose(later[:, 0], [0.0, 0.5, 0.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    "columns",
    [
        ["age"],
        list(HISTORY),
        [f"embedding_{place}" for place in range(50)],
    ],
    ids=["one number", "history", "embedding"],
)
def test_a_block_of_columns_weighs_as_much_as_one_number(columns: list[str]):
    drawn = np.random.default_rng(0).exponential(5.0, (400, len(columns)))
    rows = pl.DataFrame(drawn, schema=columns)
    encoded = fit_encoder(rows, columns, min_rows=1).encode(rows)
    assert encoded.var(axis=0, ddof=1).sum() == pytest.approx(0.25, rel=1e-4)


def test_blocks_do_not_share_their_weight():
    rows = pl.DataFrame(
        {
            "age": [1.0, 3.0],
            "n_views_before": [0, 1],
            "embedding_0": [2.0, 1.0],
            "n_lately_shown": [0, 3],
        }
    )
    encoded = fit_encoder(rows, rows.columns, min_rows=1).encode(rows)
    np.testing.assert_allclose(encoded.var(axis=0, ddof=1), 0.25, rtol=1e-5)


def test_columns_that_say_one_thing_in_parts_are_one_block():
    values = np.arange(40) % 8
    rows = pl.DataFrame(
        {
            "device": np.where(values % 2, "phone", "tv"),
            "n_views_before": values,
            "age": values**2,
            "embedding_0": values,
            "days_since_last_click": values,
            "embedding_1": values**2,
            # a trait that is called as a block of numbers is
            "history": np.where(values > 3, "long", "short"),
            **dict.fromkeys(POPULARITY, values),
        }
    )
    encoder = fit_encoder(rows, rows.columns, min_rows=1)
    assert encoder.blocks == [0, 0, 1, 2, 3, 1, 3, 4, 4, 5, 5]
    assert encoder.block_names == ("device", "history", "age", "embedding", "history", "popularity")


def test_what_never_happened_is_as_far_as_can_be():
    rows = pl.DataFrame({"days_since_last_click": [0.0, 14.0, None, 1e6]})
    encoded = fit_encoder(rows, rows.columns, min_rows=1).encode(rows)[:, 0]
    assert encoded[2] == encoded[3] == encoded.min()
    # Fresh counts 1, two weeks old 1/2, never 0: equal steps.
    assert encoded[0] - encoded[1] == pytest.approx(encoded[1] - encoded[2])


def test_heavy_tails_are_damped_by_logarithms():
    rows = pl.DataFrame({"spend_cents_before": [0, 9, 99]})
    encoded = fit_encoder(rows, rows.columns, min_rows=1).encode(rows)[:, 0]
    assert encoded[2] - encoded[1] == pytest.approx(encoded[1] - encoded[0])


def test_rare_and_unseen_values_have_no_indicator():
    training = pl.DataFrame({"device": ["phone"] * 3 + ["tv"]})
    encoder = fit_encoder(training, ["device"], min_rows=2)
    assert encoder.names == ["device=phone"]
    assert encoder.encode(pl.DataFrame({"device": ["phone", "tv", "new", None]})).tolist() == [
        [1],
        [0],
        [0],
        [0],
    ]


def test_text_that_is_nearly_always_a_number_is_read_as_one():
    training = pl.DataFrame({"depth": [str(value / 10) for value in range(100)]})
    assert fit_encoder(training, ["depth"], min_rows=2).names == ["depth"]


def test_codes_with_few_values_stay_categories():
    training = pl.DataFrame({"code": ["1", "2"] * 10})
    assert fit_encoder(training, ["code"], min_rows=2).names == ["code=1", "code=2"]


def test_a_constant_column_says_nothing_and_is_left_out():
    assert fit_encoder(pl.DataFrame({"age": [3, 3, 3]}), ["age"], min_rows=1).names == []


def test_a_frame_without_rows_encodes_to_no_rows():
    encoder = fit_encoder(pl.DataFrame({"age": [1.0, 3.0]}), ["age"], min_rows=1)
    assert encoder.encode(pl.DataFrame({"age": []}, schema={"age": pl.Float64})).shape == (0, 1)


def test_json_keys_become_columns_but_never_replace_a_field_of_the_log():
    frame = pl.DataFrame({"device": ["tv"], "context": ['{"device": "phone", "user-age": 7}']})
    opened = expand(frame, "context", ["device", "user-age", "absent"])
    assert opened.rows() == [("tv", "7", None)]


def test_an_embedding_becomes_one_column_per_number():
    frame = pl.DataFrame({"attributes": ['{"embedding": [1, 2.5]}', None, '{"embedding": [3, null]}']})
    opened = expand(frame, "attributes", ["embedding"])
    assert opened.columns == ["embedding_0", "embedding_1"]
    assert opened.rows() == [(1.0, 2.5), (None, None), (3.0, None)]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ('{"embedding": [1]}', "has 1 numbers in one row and 2 in another"),
        ('{"embedding": "blue"}', "must be a JSON array of numbers"),
        ('{"embedding": [1, "blue"]}', "must be a JSON array of numbers"),
        ('{"embedding": {"a": 1}}', "must be a JSON array of numbers"),
    ],
)
def test_an_embedding_that_is_not_a_vector_like_the_others_is_refused(other: str, said: str):
    frame = pl.DataFrame({"attributes": ['{"embedding": [1, 2]}', other]})
    with pytest.raises(InputDataError, match=said):
        expand(frame, "attributes", ["embedding"])


README = Path(features.context.__file__).with_name("README.md").read_text(encoding="utf-8")
SECTION = README.split("## The contents of a context")[1].split("\n<!-- ")[0]
ROWS = [line.split("|")[1:-1] for line in SECTION.splitlines() if line.startswith("| ")][1:]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_the_readme_shows_every_column_that_the_warehouse_knows():
    told = set().union(*(names_in(columns) for _, columns, *_ in ROWS))
    vector = {f"{EMBEDDING}_{place}" for place in range(2)}
    of_marts = {"context", "attributes", "region", "device", "category", "brand", "price_cents"}
    assert told == {*HISTORY, *POPULARITY, *AMOUNTS, *vector, *of_marts, "price_position"}


def test_the_readme_says_where_each_column_is_computed_and_how_fast_it_fades():
    sql = {file.stem: file.read_text(encoding="utf-8") for file in SQL.rglob("*.sql")}
    for family, columns, *_, places in ROWS:
        models = {name for name in names_in(places) if not name.endswith(".py")}
        assert models <= set(sql), family
        code = "".join(sql[name] for name in models)
        # popularity gets its names, and the vectors their places, in Python
        if not models & {"item_popularity"}:
            assert all(name in code for name in names_in(columns) if models), family
    assert f"a half-life of {HALF_LIFE_DAYS:g} days" in SECTION
    assert f"the {MOST_ITEMS} items" in SECTION
    assert f"by {PRIOR_IMPRESSIONS:g} impressions" in SECTION
