import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from features.contracts.findings import finding
from features.errors import InputDataError
from offline_rl import two_tower
from offline_rl.artifacts import load_policy, save_policy
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.meta_policy import CurvePoint
from offline_rl.meta.segment_objective import SegmentObjective

OBJECTIVE = SegmentObjective(
    "importance_weighted", 0.25, True, 1.0, 0.02, 0.0196, 10.0, 20.0, 0.01, 0.001, 3.5
)


SAID = finding("diverged", "maml", step=8, kept_step=2, outer_lr=0.005, inner_lr=0.1)


@pytest.fixture
def policy() -> GradientMetaPolicy:
    parameters = two_tower.init_parameters(2, 3, 4, 5, hidden=3, generator=torch.Generator().manual_seed(0))
    point = CurvePoint(0, 0.5, 0.02, 0.02, 1.25)
    return GradientMetaPolicy(
        "maml", parameters, OBJECTIVE, 0.5, 3, 20, 10.0, 0.021, 0.003, (point,), (SAID,)
    )


def test_a_policy_comes_back_as_it_was_saved(policy: GradientMetaPolicy, tmp_path: Path) -> None:
    path = save_policy(policy, tmp_path / "policies")
    assert path == tmp_path / "policies" / "maml.safetensors"
    loaded = load_policy(path)
    assert (loaded.name, loaded.inner_lr, loaded.inner_steps, loaded.notes) == ("maml", 0.5, 3, (SAID,))
    assert (loaded.objective, loaded.validation_value, loaded.validation_gain) == (OBJECTIVE, 0.021, 0.003)
    assert loaded.curve == ()
    assert loaded.parameters.keys() == policy.parameters.keys()
    assert all(torch.equal(loaded.parameters[name], policy.parameters[name]) for name in loaded.parameters)


def test_equal_policies_give_equal_bytes(policy: GradientMetaPolicy, tmp_path: Path) -> None:
    slower = CurvePoint(0, 0.5, 0.02, 0.02, 99.0)
    reordered = dict(reversed(policy.parameters.items()))
    again = replace(policy, parameters=reordered, curve=(slower,))
    first, second = save_policy(policy, tmp_path / "a"), save_policy(again, tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".json").read_bytes() == second.with_suffix(".json").read_bytes()
    assert save_policy(load_policy(first), tmp_path / "c").read_bytes() == first.read_bytes()


def test_any_difference_is_another_file(policy: GradientMetaPolicy, tmp_path: Path) -> None:
    nudged = {**policy.parameters, "level": policy.parameters["level"] + 1e-6}
    others = (
        policy,
        replace(policy, parameters=nudged),
        replace(policy, inner_steps=0),
        replace(policy, objective=replace(OBJECTIVE, temperature=0.5)),
    )
    saved = [save_policy(other, tmp_path / str(place)) for place, other in enumerate(others)]
    assert len({(path.read_bytes(), path.with_suffix(".json").read_bytes()) for path in saved}) == 4


def test_damaged_and_missing_files_are_sentences(policy: GradientMetaPolicy, tmp_path: Path) -> None:
    path = save_policy(policy, tmp_path)
    numbers = path.read_bytes()
    path.write_bytes(numbers[:-1] + b"\x01")
    with pytest.raises(InputDataError, match="isn't the file that its card describes"):
        load_policy(path)
    path.write_bytes(numbers)
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps({**card, "surprise": 1}))
    with pytest.raises(InputDataError, match="can't be read as a policy"):
        load_policy(path)
    with pytest.raises(InputDataError, match="can't be read as a policy"):
        load_policy(tmp_path / "nobody.safetensors")
