"""Matrix products as fast as this machine makes them while they stay exact to single precision.

`torch.set_float32_matmul_precision("medium")` hands single-precision products on the CPU to oneDNN.  On some
processors that computes the same numbers 2 to 3 times faster than the default library; on those with bfloat16
units it silently rounds to 8 bits.  No flag tells which, so it is tried on products of known answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

TOLERANCE = 1e-6
"""Largest relative error that still counts as single precision: eps * sqrt(terms) is 1e-6 at 280 terms, and
bfloat16 errs by 2e-3."""

# Batches of [rows, inner] x [inner, columns]: a network's layers forward, its weights' gradients, a plain
# matrix.  oneDNN picks its kernel by shape, so that one exact product doesn't vouch for another.
_SHAPES = ((16, 256, 64, 64), (16, 64, 256, 64), (16, 64, 64, 256), (16, 256, 64, 34), (1, 512, 128, 128))


@dataclass(frozen=True)
class MatmulPrecision:
    """What was chosen, for the manifest: the setting in force, and the error measured under "medium".

    relative_error is None where nothing was tried: with a GPU in use "medium" would round there too.
    """

    setting: Literal["highest", "medium"]
    relative_error: float | None


def medium_error() -> float:
    """Largest relative error |product - exact| / |exact| of batched products under "medium", on the CPU.

    exact is the product of the same numbers in double precision, and the norm is Frobenius'.
    """
    generator = torch.Generator().manual_seed(0)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        errors = []
        for batch, rows, inner, columns in _SHAPES:
            left = torch.randn(batch, rows, inner, generator=generator)
            right = torch.randn(batch, inner, columns, generator=generator)
            exact = left.double() @ right.double()
            errors.append(float((torch.bmm(left, right).double() - exact).norm() / exact.norm()))
        return max(errors)
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def fastest_exact_matmul() -> Iterator[MatmulPrecision]:
    """Inside, "medium" where it is exact here, else "highest"; the former setting afterwards.

    >>> with fastest_exact_matmul() as chosen:
    ...     chosen.setting == torch.get_float32_matmul_precision()
    True
    """
    before = torch.get_float32_matmul_precision()
    chosen = _choose()
    torch.set_float32_matmul_precision(chosen.setting)
    try:
        yield chosen
    finally:
        torch.set_float32_matmul_precision(before)


def _choose() -> MatmulPrecision:
    if torch.cuda.is_available():
        return MatmulPrecision("highest", None)
    error = medium_error()
    # Written so that an error that isn't a number is refused.
    return MatmulPrecision("medium" if error < TOLERANCE else "highest", error)
