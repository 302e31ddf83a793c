"""What the version of the code is of: all sources, and nothing that a run writes beside them."""

from pathlib import Path

import pytest

from flows import code_version
from flows.code_version import code_sha256


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    code_sha256.cache_clear()
    monkeypatch.setattr(code_version, "files", lambda name: tmp_path / name)
    (tmp_path / "shop" / "sql").mkdir(parents=True)
    (tmp_path / "shop" / "price.py").write_text("price = 1")
    (tmp_path / "shop" / "sql" / "prices.sql").write_text("SELECT 1")
    return tmp_path / "shop"


def version() -> str:
    code_sha256.cache_clear()
    return code_sha256("shop")


@pytest.mark.parametrize("name", ["price.py", "sql/prices.sql", "page.j2", "page.css", "page.js", "new.toml"])
def test_every_source_counts(package: Path, name: str) -> None:
    before = version()

    (package / name).write_text("changed")

    assert version() != before


@pytest.mark.parametrize("name", ["LEARNERS.md", "learners.jsonl", "price.pyc", "py.typed"])
def test_results_beside_the_code_do_not_count(package: Path, name: str) -> None:
    before = version()

    (package / name).write_text("changed")

    assert version() == before


def test_a_source_that_moved_counts(package: Path) -> None:
    before = version()

    (package / "price.py").rename(package / "prices.py")

    assert version() != before
