from pathlib import Path

import pytest
import torch

from tests.benchmarks import on_gpu


def test_without_a_gpu_it_says_so_and_leaves_no_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(on_gpu, "RESULTS", tmp_path / "RESULTS.md")
    assert on_gpu.main() == 1
    assert "There is no GPU here" in capsys.readouterr().err
    assert not (tmp_path / "RESULTS.md").exists()


def test_the_page_names_the_device_and_the_commit() -> None:
    page = on_gpu.page({"device": "NVIDIA H200", "torch": "2.13.0", "milliseconds": {"step": 1.5}}, "abc1234")
    assert "NVIDIA H200, torch 2.13.0, commit abc1234." in page
    assert '"step": 1.5' in page
