"""Slate chances: what the slates of tomorrow's targets are drawn from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class SlateChances:
    """What m slates are drawn from.

    logits: [m, L, A], logs of what each slot would draw if filled first, up to a constant of each slot; minus
    infinity outside the available items. available: bool [m, A]. exploration: [m], the share of exploring
    slates. challenger: [m, L, A], logits of the policy that draws half of these, None where all are uniform.
    """

    logits: Tensor
    available: Tensor
    exploration: Tensor
    challenger: Tensor | None = None


# Rows of `targets`, int64 [m] → their chances.
Chances = Callable[[NDArray[np.int64]], SlateChances]
