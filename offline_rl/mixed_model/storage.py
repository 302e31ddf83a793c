"""A mixed model as named tensors and a JSON card, and back."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from offline_rl.mixed_model.columns import Columns
from offline_rl.mixed_model.kinship import Kinship
from offline_rl.mixed_model.level import Block, Coefficients, Level
from offline_rl.mixed_model.model import MixedModel
from offline_rl.mixed_model.pairs import Kind
from offline_rl.mixed_model.structure import Structure


def numbers_of(model: MixedModel) -> dict[str, Tensor]:
    """Return the model's tensors by name."""
    columns, structure = model.columns, model.structure
    return {
        "features": model.features,
        "shared.item": model.shared.item,
        "shared.feature": model.shared.feature,
        "variances.shared": model.variances[0],
        "variances.segment": model.variances[1],
        "columns.center": columns.center,
        "columns.pair_scale": columns.pair_scale,
        "columns.basis": columns.basis,
        "kinship": columns.kinship.coordinates,
        **{f"kind.{place}": kind.code for place, kind in enumerate(columns.kinds)},
        "structure.slopes": structure.slopes,
        **_level_numbers("shared", structure.shared),
        **_level_numbers("segment", structure.segment),
    }


def card_of(model: MixedModel) -> dict[str, Any]:
    """Return the fields but the tensors, in a form that JSON can hold."""
    return {
        "base": model.base,
        "noise": model.noise,
        "is_binary": model.is_binary,
        "reward_scale": model.reward_scale,
        "context_block": list(model.columns.context_block),
        "kinds": [kind.name for kind in model.columns.kinds],
        "kin_acts": list(model.columns.kinship.acts),
        "kin_scale": model.columns.kin_scale,
        "n_slots": model.columns.n_slots,
        "shared": _level_card(model.structure.shared),
        "segment": _level_card(model.structure.segment),
    }


def restored_model(numbers: Mapping[str, Tensor], card: Mapping[str, Any]) -> MixedModel:
    """Return the model of these `numbers_of` and this `card_of`."""
    names = enumerate(card["kinds"])
    return MixedModel(
        columns=Columns(
            context_block=tuple(card["context_block"]),
            center=numbers["columns.center"],
            kinds=tuple(Kind(name, numbers[f"kind.{place}"]) for place, name in names),
            pair_scale=numbers["columns.pair_scale"],
            basis=numbers["columns.basis"],
            kinship=Kinship(numbers["kinship"], tuple(card["kin_acts"])),
            kin_scale=card["kin_scale"],
            n_slots=card["n_slots"],
        ),
        structure=Structure(
            shared=_level("shared", numbers, card),
            segment=_level("segment", numbers, card),
            slopes=numbers["structure.slopes"],
        ),
        features=numbers["features"],
        base=card["base"],
        shared=Coefficients(numbers["shared.item"], numbers["shared.feature"]),
        variances=(numbers["variances.shared"], numbers["variances.segment"]),
        noise=card["noise"],
        is_binary=card["is_binary"],
        reward_scale=card["reward_scale"],
    )


def _level_numbers(name: str, level: Level) -> dict[str, Tensor]:
    return {f"{name}.item_block": level.item_block, f"{name}.feature_block": level.feature_block}


def _level_card(level: Level) -> dict[str, Any]:
    return {
        "n_groups": level.n_groups,
        "blocks": [[block.row, block.column, block.is_free] for block in level.blocks],
    }


def _level(name: str, numbers: Mapping[str, Tensor], card: Mapping[str, Any]) -> Level:
    return Level(
        blocks=tuple(Block(*block) for block in card[name]["blocks"]),
        item_block=numbers[f"{name}.item_block"],
        feature_block=numbers[f"{name}.feature_block"],
        n_groups=card[name]["n_groups"],
    )
