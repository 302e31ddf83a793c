"""Artifacts: a learned policy as two plain files, safetensors for its numbers and a JSON card for the rest.

No pickle: loading a file must never run code. Equal policies give equal bytes.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load, save

from features.contracts.findings import from_json, to_json
from features.errors import InputDataError
from offline_rl.meta.bayesian_meta_policy import BayesianMetaPolicy
from offline_rl.meta.beta_binomial import BetaBinomialMetaPolicy
from offline_rl.meta.boosting import BoostingMetaPolicy
from offline_rl.meta.crosses_logit import CrossesLogitMetaPolicy
from offline_rl.meta.effects_meta_policy import EffectsMetaPolicy
from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy
from offline_rl.meta.item_rates import ItemRatesMetaPolicy
from offline_rl.meta.meta_policy import MetaPolicy
from offline_rl.meta.mixed_effects import MixedMetaPolicy
from offline_rl.meta.per_segment import PerSegmentMetaPolicy

KINDS: dict[str, Any] = {
    cls.kind: cls
    for cls in (
        GradientMetaPolicy,
        MixedMetaPolicy,
        ItemRatesMetaPolicy,
        CrossesLogitMetaPolicy,
        BoostingMetaPolicy,
        EffectsMetaPolicy,
        PerSegmentMetaPolicy,
        BetaBinomialMetaPolicy,
        BayesianMetaPolicy,
    )
}
"""kind → class, for `load_policy`: a new kind of meta-policy is one entry here."""


def save_policy(policy: MetaPolicy, folder: Path) -> Path:
    """Write `<name>.safetensors` and its card `<name>.json` into folder; returns the former's path.

    The learning curve is left out: it holds seconds, which differ between equal runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{policy.name}.safetensors"
    path.write_bytes(_numbers(policy))
    path.with_suffix(".json").write_bytes(_card(policy))
    return path


def load_policy(path: Path) -> MetaPolicy:
    """Return the policy that `save_policy` wrote at path, on the CPU and without its learning curve.

    Raises InputDataError if a file is missing, damaged, or not the one that the card was written for.
    """
    try:
        numbers, card = path.read_bytes(), json.loads(path.with_suffix(".json").read_bytes())
        if hashlib.sha256(numbers).hexdigest() != card.pop("parameters_sha256"):
            raise InputDataError(f"{path} isn't the file that its card describes: learn the policy again.")
        kind, own, notes = KINDS[card.pop("kind")], card.pop("own"), from_json(card.pop("notes"))
        policy: MetaPolicy = kind.restored(load(numbers), own, notes=notes, **card)
        return policy
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise InputDataError(f"{path} can't be read as a policy ({error}): learn it again.") from error


def _numbers(policy: MetaPolicy) -> bytes:
    tensors: dict[str, torch.Tensor] = {
        name: tensor.detach().to("cpu").contiguous() for name, tensor in sorted(policy.numbers().items())
    }
    written: bytes = save(tensors)
    return written


def _card(policy: MetaPolicy) -> bytes:
    card: dict[str, Any] = {
        "kind": policy.kind,
        "name": policy.name,
        "own": policy.card(),
        "validation_value": policy.validation_value,
        "validation_gain": policy.validation_gain,
        "notes": to_json(policy.notes),
        "parameters_sha256": hashlib.sha256(_numbers(policy)).hexdigest(),
    }
    return (json.dumps(card, indent=2, sort_keys=True) + "\n").encode()
