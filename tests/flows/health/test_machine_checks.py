"""Checks of the machine: versions, memory, GPU."""

import pytest
import torch
from packaging.requirements import Requirement

from features.exit_statuses import ExitStatus
from flows.health.gpu import check_gpu
from flows.health.memory import available_bytes, check_memory
from flows.health.versions import asked_versions, check_versions, installed_versions
from offline_rl.device_probe import GpuProbe, probe_gpu, training_step

ASKED = [
    Requirement(text)
    for text in ("fastapi>=0.139,<0.151", "sqlalchemy[asyncio]>=2.0,<2.1", "duckdb==2.0.0", "prefect==3.8.8")
]
GOOD = {"fastapi": "0.150.0", "sqlalchemy": "2.0.58", "duckdb": "2.0.0", "prefect": "3.8.8"}


def levels(checks):
    return [(check.level, check.exit_status) for check in checks]


def test_the_versions_asked_for_are_well():
    assert levels(check_versions(ASKED, GOOD)) == [("ok", ExitStatus.DONE)]


@pytest.mark.parametrize(
    ("package", "version", "said"),
    [("fastapi", "0.151.0", "every Prefect flow fails"), ("sqlalchemy", "2.1.9", "no night ever starts")],
)
def test_what_breaks_scheduling_is_a_fault_with_its_consequence(package, version, said):
    [check] = check_versions(ASKED, GOOD | {package: version})
    assert (check.level, check.exit_status) == ("fault", ExitStatus.FAILURE)
    assert said in check.found
    assert version in check.found
    assert "requirements.lock" in check.advice


def test_another_pin_is_a_warning_and_a_missing_package_a_fault():
    checks = check_versions(ASKED, GOOD | {"duckdb": "2.0.1", "prefect": None})
    assert [(check.level, check.found.split()[0]) for check in checks] == [
        ("warning", "duckdb"),
        ("fault", "prefect"),
    ]


def test_without_an_installed_metacart_there_is_nothing_to_compare():
    assert levels(check_versions([], {})) == [("fault", ExitStatus.FAILURE)]


def test_the_installed_metacart_asks_for_the_caps_that_keep_schedules_alive():
    asked = {one.name: one for one in asked_versions()}
    assert not asked["fastapi"].specifier.contains("0.151.0")
    assert not asked["sqlalchemy"].specifier.contains("2.1.0")
    assert "pytest" not in asked
    assert installed_versions(list(asked.values()))["duckdb"] == "2.0.0"


@pytest.mark.parametrize(("n_bytes", "level"), [(16e9, "ok"), (1.2e9, "warning"), (0.3e9, "fault")])
def test_little_memory_is_said(n_bytes, level):
    assert check_memory(int(n_bytes)).level == level


def test_a_container_has_what_its_limit_leaves(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 8000 kB\nMemAvailable:    4000 kB\n")
    assert available_bytes(tmp_path / "meminfo", tmp_path) == 4000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(tmp_path / "meminfo", tmp_path) == 4000 * 1024
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    assert available_bytes(tmp_path / "meminfo", tmp_path) == 2_000_000


def test_without_proc_the_memory_is_that_of_the_machine(tmp_path):
    assert available_bytes(tmp_path / "meminfo", tmp_path) > 0


@pytest.mark.parametrize(
    ("probe", "level", "said"),
    [
        (GpuProbe(), "ok", "no GPU: learning runs on the CPU"),
        (GpuProbe(has_driver=True), "warning", "torch can't use"),
        (GpuProbe("A100", True), "ok", "A100 takes a training step and captures it"),
        (
            GpuProbe("A100", True, capture_error="operation not permitted"),
            "warning",
            "operation not permitted",
        ),
        (GpuProbe("A100", True, step_error="no kernel image"), "fault", "no kernel image"),
    ],
)
def test_a_gpu_is_judged_by_its_probe(probe, level, said):
    check = check_gpu(probe)
    assert check.level == level
    assert said in check.found


def test_the_probes_step_is_gradient_descent():
    step = training_step(torch.device("cpu"))
    # The gradient of the mean of four (w - 100)^2 at w = 0 is -50 for each weight; 0.1 of it is 5.
    assert step().flatten().tolist() == pytest.approx([5.0] * 4)
    assert step().flatten().tolist() == pytest.approx([9.75] * 4)


@pytest.mark.parametrize("broken", ["step", "capture"])
def test_what_torch_says_of_a_gpu_is_named(monkeypatch, broken):
    """A GPU that this machine does not have: the probe's own calls are real, torch's answers are not."""
    from offline_rl import device_probe

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "B7")

    def refuse(*_args):
        raise RuntimeError("CUDA error:\n no kernel image")

    monkeypatch.setattr(device_probe, "_captured_step", refuse)
    if broken == "step":
        monkeypatch.setattr(device_probe, "training_step", refuse)
    else:
        monkeypatch.setattr(device_probe, "training_step", lambda _device: lambda: None)
    probe = probe_gpu()
    assert probe.name == "B7"
    assert (probe.step_error, probe.capture_error) == (
        ("CUDA error: no kernel image", "") if broken == "step" else ("", "CUDA error: no kernel image")
    )


def test_a_machine_without_a_gpu_is_probed_without_an_error():
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert probe_gpu().name is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_real_gpu_captures_a_step():
    probe = probe_gpu()
    assert probe.name
    assert (probe.step_error, probe.capture_error) == ("", "")
