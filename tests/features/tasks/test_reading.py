"""A night reads its decisions as the policies of another night do."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter

from features.tasks.build import DomainTasks, build_tasks
from features.tasks.evidence import mark_evidence
from features.tasks.files import load_read_again, save_read_again
from features.tasks.reading import ReadAgain, Reading
from features.tasks.tables import ShopTables
from tests.features.tasks.test_build import AS_OF, SETTINGS, N, shop


def night(tables: ShopTables, *readings: Reading, **settings) -> DomainTasks:
    asked = replace(SETTINGS, **settings)
    rounds, split = mark_evidence(tables.rounds, asked, AS_OF, tables.domain)
    return build_tasks(replace(tables, rounds=rounds, split=split), asked, AS_OF, readings)


def read(reading: Reading, tables: ShopTables, **settings) -> ReadAgain:
    [found] = night(tables, reading, **settings).read_again
    return found


@pytest.mark.parametrize("settings", [{}, {"clusters": 2, "segments_by": ("region", "cluster")}])
def test_the_night_itself_is_read_as_it_was(settings):
    tasks = night(shop(), **settings)
    found = read(tasks.reading, shop(), **settings)
    arrays, targets = tasks.arrays, tasks.targets
    np.testing.assert_array_equal(found.context, arrays["context"])
    np.testing.assert_array_equal(found.segment, arrays["segment"])
    np.testing.assert_array_equal(found.target_context, targets.context)
    of_context = arrays["target_segment"][arrays["target_of_context"]]
    np.testing.assert_array_equal(found.target_segment, of_context)
    np.testing.assert_array_equal(found.item_attributes, arrays["item_features"][:, : -len(tasks.action_ids)])
    assert found.known.tolist() == [0, 1, 2]
    assert found.missing == ()


def test_a_reading_is_the_same_from_a_file():
    reading = night(shop(), clusters=2, segments_by=("region", "cluster")).reading
    kind = TypeAdapter(Reading)
    assert kind.validate_json(kind.dump_json(reading)) == reading


def test_means_and_levels_are_those_of_the_night_that_learned():
    before = night(shop(context=['{"weather": "snow"}'] * N)).reading
    found = read(before, shop(n_views_before=np.arange(N) + 1000))
    # Every round has more views than any that the encoder has seen, and none has its weather.
    names = before.context.names
    assert (found.context[:, names.index("n_views_before")] > 1.0).all()
    assert (found.context[:, names.index("weather=snow")] == 0.0).all()


def test_items_are_placed_among_the_policys_own():
    tables = shop()
    grown = replace(
        tables, items=pl.concat([tables.items, tables.items.head(1).with_columns(item_id=pl.lit("aaa"))])
    )
    found = read(night(tables).reading, grown)
    assert found.known.tolist() == [-1, 0, 1, 2]
    np.testing.assert_array_equal(found.item_attributes[0], found.item_attributes[1])


def test_a_segment_that_the_policy_does_not_have_is_none_of_its_own():
    only_north = replace(night(shop()).reading, segment_ids=("region=north",))
    assert read(only_north, shop()).segment.tolist() == [0 if number % 3 else -1 for number in range(N)]


def test_a_trait_that_is_gone_is_unknown_and_named():
    tables = shop()
    poorer = replace(tables, users=tables.users.drop("region"), context_keys=())
    poorer = replace(poorer, rounds=poorer.rounds.with_columns(context=pl.lit("{}")))
    found = read(night(tables).reading, poorer, segments_by=())
    assert found.missing == ("region", "weather")
    assert set(found.segment.tolist()) == {-1}


def test_what_was_read_is_the_same_from_a_file(tmp_path):
    found = read(night(shop()).reading, shop())
    save_read_again(tmp_path / "read.npz", found)
    again = load_read_again(tmp_path / "read.npz")
    for name, expected in vars(found).items():
        np.testing.assert_array_equal(getattr(again, name), expected)
