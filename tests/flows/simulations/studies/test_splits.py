import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from features.errors import InputDataError
from flows.simulations.studies.splits import deal

VOLUMES = {f"r{region}-{device}": 10 * region + device for region in range(1, 31) for device in range(3)}
ALONE = {name: name for name in VOLUMES}
BY_REGION = {name: name.partition("-")[0] for name in VOLUMES}


def test_three_fifths_train_one_validates_and_one_tests() -> None:
    splits = deal(VOLUMES, ALONE, "salt")
    assert Counter(splits.of.values()) == {"meta_train": 54, "meta_validation": 18, "meta_test": 18}


def test_each_third_by_volume_is_dealt_out_by_itself() -> None:
    splits = deal(VOLUMES, ALONE, "salt")
    largest = sorted(VOLUMES, key=lambda name: -VOLUMES[name])[:30]
    assert Counter(splits.of[name] for name in largest)["meta_test"] == 6


def test_a_group_stays_together() -> None:
    splits = deal(VOLUMES, BY_REGION, "salt")
    for region in set(BY_REGION.values()):
        assert len({splits.of[name] for name, group in BY_REGION.items() if group == region}) == 1
    assert set(splits.of.values()) == {"meta_train", "meta_validation", "meta_test"}


def test_nothing_but_salt_and_volume_decides() -> None:
    backwards = dict(reversed(VOLUMES.items()))
    assert deal(VOLUMES, ALONE, "salt") == deal(backwards, ALONE, "salt")
    assert deal(VOLUMES, ALONE, "salt").of != deal(VOLUMES, ALONE, "pepper").of


def test_the_seal_is_the_hash_of_the_manifest(tmp_path: Path) -> None:
    splits = deal(VOLUMES, ALONE, "salt")
    splits.seal(tmp_path / "splits" / "one.json")
    content = (tmp_path / "splits" / "one.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == splits.sha256
    assert json.loads(content)["segments"] == splits.of


def test_a_sealed_split_does_not_change(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    deal(VOLUMES, ALONE, "salt").seal(path)
    deal(VOLUMES, ALONE, "salt").seal(path)
    before = path.read_bytes()
    with pytest.raises(InputDataError, match="holds another split"):
        deal(VOLUMES, ALONE, "pepper").seal(path)
    assert path.read_bytes() == before
