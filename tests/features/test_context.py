import numpy as np
import polars as pl

from features.context import expand, fit_encoder


def test_numbers_are_standardized_on_the_training_window_alone():
    encoder = fit_encoder(pl.DataFrame({"age": [1.0, 3.0]}), ["age"], min_rows=1)
    later = encoder.encode(pl.DataFrame({"age": [2.0, 2.0 + np.sqrt(2.0), None, float("nan")]}))
    np.testing.assert_allclose(later[:, 0], [0.0, 1.0, 0.0, 0.0], atol=1e-6)


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
