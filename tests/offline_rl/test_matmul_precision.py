"""The choice of matrix products: exact or not at all, and nothing left behind."""

from collections.abc import Iterator

import pytest
import torch

from offline_rl import matmul_precision
from offline_rl.matmul_precision import TOLERANCE, MatmulPrecision, fastest_exact_matmul, medium_error


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


def product_error() -> float:
    generator = torch.Generator().manual_seed(3)
    left, right = (torch.randn(8, 64, 64, generator=generator) for _ in range(2))
    exact = left.double() @ right.double()
    return float((torch.bmm(left, right) - exact).norm() / exact.norm())


def test_whatever_is_chosen_products_are_exact_to_single_precision() -> None:
    with fastest_exact_matmul() as chosen:
        assert torch.get_float32_matmul_precision() == chosen.setting
        assert product_error() < TOLERANCE


@pytest.mark.parametrize(
    ("error", "setting"),
    [(1.4e-7, "medium"), (TOLERANCE, "highest"), (2.4e-3, "highest"), (float("nan"), "highest")],
)
def test_an_inexact_product_is_refused(monkeypatch: pytest.MonkeyPatch, error: float, setting: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(matmul_precision, "medium_error", lambda: error)
    with fastest_exact_matmul() as chosen:
        assert chosen.setting == torch.get_float32_matmul_precision() == setting


def test_with_a_gpu_nothing_is_traded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with fastest_exact_matmul() as chosen:
        assert chosen == MatmulPrecision("highest", None)
        assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("before", ["highest", "high"])
def test_the_former_setting_returns(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    monkeypatch.setattr(matmul_precision, "medium_error", lambda: 0.0)
    torch.set_float32_matmul_precision(before)
    with pytest.raises(RuntimeError, match="from inside"), fastest_exact_matmul():
        raise RuntimeError("from inside")
    assert torch.get_float32_matmul_precision() == before


def test_the_probe_sees_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products as a processor with bfloat16 units makes them, whatever this one has."""
    single = torch.bmm

    def rounded(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return single(left.bfloat16().float(), right.bfloat16().float())

    monkeypatch.setattr(torch, "bmm", rounded)
    assert 1e-3 < medium_error() < 1e-2


def test_the_probe_leaves_the_setting_as_it_was() -> None:
    torch.set_float32_matmul_precision("high")
    assert medium_error() >= 0.0
    assert torch.get_float32_matmul_precision() == "high"
