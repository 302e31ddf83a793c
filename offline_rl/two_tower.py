"""The two-tower score of an item in a context: one network, read as a policy or as a reward model.

    u = tanh([x, slot] W + b)                     the context's tower       [H]
    v = tanh(z V + c)                             the item's tower          [H]
    score(x, slot, item) = u·v + z·w + m_item + [x, slot]·k + k0

z are the item's features and m its own effect. An item that was never shown keeps m = 0 and is scored by
its features. The last two terms are the same for all items: a reward model needs them, and they cancel in a
softmax.

Parameters are a dict of tensors with a leading task dimension, so that segments that have moved apart during
adaptation are scored by one batched product each. Source of the form: Covington et al. 2016, Yi et al. 2019.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from offline_rl.user_history import UserHistory

Parameters = Mapping[str, Tensor]

NAMES = (
    "context_weight",
    "context_bias",
    "item_weight",
    "item_bias",
    "item_linear",
    "item_effect",
    "level_linear",
    "level",
)


def init_parameters(
    n_context: int,
    n_slots: int,
    n_items: int,
    n_item_features: int,
    *,
    hidden: int,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
) -> dict[str, Tensor]:
    """Return the starting values without task dimension: small random towers, everything else zero.

    The towers may not start at zero: u·v is flat there, and no gradient would ever leave it.
    """
    width = n_context + n_slots

    def tower(inputs: int) -> Tensor:
        values = torch.randn(inputs, hidden, generator=generator, dtype=torch.float64)
        return values.mul(0.5 / math.sqrt(max(inputs, 1))).to(dtype)

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(*shape, dtype=dtype)

    return {
        "context_weight": tower(width),
        "context_bias": tower(1)[0],
        "item_weight": tower(n_item_features),
        "item_bias": tower(1)[0],
        "item_linear": zeros(n_item_features),
        "item_effect": zeros(n_items),
        "level_linear": zeros(width),
        "level": zeros(1),
    }


def with_task_dimension(parameters: Parameters, tasks: int) -> dict[str, Tensor]:
    """Return the same parameters once per task, [tasks, ...], as views that gradients flow back through."""
    return {name: value.expand(tasks, *value.shape) for name, value in parameters.items()}


def all_scores(parameters: Parameters, context: Tensor, slot: Tensor, item_features: Tensor) -> Tensor:
    """Return the scores of every item: [T, N, A] for context [T, N, d], slot [T, N], item_features [A, f]."""
    tower, level = _context_tower(parameters, context, slot)
    items, appeal = _item_tower(parameters, item_features)
    return torch.baddbmm(appeal.unsqueeze(1), tower, items.transpose(1, 2)) + level.unsqueeze(-1)


def logged_scores(
    parameters: Parameters, context: Tensor, slot: Tensor, item_features: Tensor, action: Tensor
) -> Tensor:
    """Return the scores of the logged items only: [T, N] for action [T, N]; faster than `all_scores`."""
    if action.is_cuda:
        # Gathering items sums their gradients in an order that changes from run to run on a GPU. There all
        # scores are cheap, and choosing one per round from them is reproducible.
        scores = all_scores(parameters, context, slot, item_features)
        return scores.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    tower, level = _context_tower(parameters, context, slot)
    items, appeal = _item_tower(parameters, item_features)
    shown = torch.gather(items, 1, action.unsqueeze(-1).expand(-1, -1, items.shape[-1]))
    return (tower * shown).sum(-1) + torch.gather(appeal, 1, action) + level


@dataclass(frozen=True, eq=False)
class TwoTowerScore:
    """The scores of one network, parameters without task dimension; it ignores what users did."""

    parameters: Parameters

    def __call__(
        self, context: Tensor, slot: Tensor, item_features: Tensor, history: UserHistory | None = None
    ) -> Tensor:
        """Return the scores of every item [n, A], in the parameters' dtype and on their device."""
        del history
        like = self.parameters["context_weight"]
        return all_scores(
            with_task_dimension(self.parameters, 1),
            context.to(like).unsqueeze(0),
            slot.to(like.device).unsqueeze(0),
            item_features.to(like),
        )[0]


def _context_tower(parameters: Parameters, context: Tensor, slot: Tensor) -> tuple[Tensor, Tensor]:
    """Return the context's tower [T, N, H] and its level [T, N], both of context and slot."""
    columns = context.shape[-1]
    n_slots = parameters["context_weight"].shape[1] - columns
    if n_slots < 1:
        raise ValueError(
            f"The network was built for fewer than the {columns} context columns given: "
            "pass the context of the same tasks that it was trained on."
        )
    # The level is one more column of the product. The slot is a product of its own: copying all contexts to
    # put a column beside them costs as much as multiplying them.
    weight = torch.cat([parameters["context_weight"], parameters["level_linear"].unsqueeze(-1)], dim=-1)
    bias = torch.cat([parameters["context_bias"], parameters["level"]], dim=-1).unsqueeze(1)
    in_slot = torch.nn.functional.one_hot(slot, n_slots).to(context.dtype)
    sums = torch.baddbmm(torch.baddbmm(bias, in_slot, weight[:, columns:]), context, weight[:, :columns])
    return torch.tanh(sums[..., :-1]), sums[..., -1]


def _item_tower(parameters: Parameters, item_features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the items' tower [T, A, H] and the part of the score that needs no context [T, A]."""
    tasks, known = parameters["item_effect"].shape
    if item_features.shape[0] != known:
        raise ValueError(
            f"The network knows {known} items and was given {item_features.shape[0]}: "
            "pass the item features of the same tasks; items that may not be shown are masked by `available`."
        )
    features = item_features.expand(tasks, *item_features.shape)
    towers = torch.tanh(
        torch.baddbmm(parameters["item_bias"].unsqueeze(1), features, parameters["item_weight"])
    )
    linear = torch.bmm(features, parameters["item_linear"].unsqueeze(-1)).squeeze(-1)
    return towers, linear + parameters["item_effect"]
