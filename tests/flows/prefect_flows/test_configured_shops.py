"""Which shops are served, from one file and a folder."""

from pathlib import Path

import pytest

from features.errors import UsageError
from flows.prefect_flows.configured_shops import configured_shops
from flows.shops import FILES, write_config


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def shop(path: str, name: str) -> Path:
    write_config(Path(path), FILES, name=name, logs=Path("logs"), data=Path("data"))
    return Path(path)


def names(*arguments: Path | None) -> list[str]:
    return [found.name for found in configured_shops(*arguments)]


def test_files_of_a_folder_and_of_its_folders_are_shops(tmp_path):
    shop("shops/b.toml", "b")
    shop("shops/a/metacart.toml", "a")
    shop("shops/a/draft.toml", "draft")
    assert names(None, Path("shops")) == ["a", "b"]
    [_, b] = configured_shops(None, Path("shops"))
    assert (b.config, b.published) == (tmp_path / "shops/b.toml", tmp_path / "data/published/b")


def test_the_first_is_the_named_one_or_the_usual_one():
    other = shop("other.toml", "other")
    shop("shops/a.toml", "a")
    assert names(other, Path("shops")) == ["other", "a"]
    shop("data/raw/demo/metacart.toml", "demo")
    assert names(None, None) == ["demo"]
    shop("metacart.toml", "own")
    assert names(None, None) == ["own", "demo"]
    assert names(Path("metacart.toml"), Path("shops")) == ["own", "a"]


def test_a_file_that_is_named_twice_is_one_shop():
    path = shop("shops/a.toml", "a")
    assert names(path, Path("shops")) == ["a"]


def test_two_shops_of_one_name_are_refused_with_both_files():
    shop("shops/a.toml", "same")
    shop("shops/b.toml", "same")
    with pytest.raises(UsageError, match=r"a\.toml and .*b\.toml both are configurations of .* same"):
        configured_shops(None, Path("shops"))


@pytest.mark.parametrize(
    ("make", "arguments", "sentence"),
    [
        (lambda: None, (None, None), "There is no shop to serve"),
        (lambda: None, (Path("nowhere.toml"), None), r"There is no configuration file .*nowhere\.toml"),
        (lambda: None, (None, Path("nowhere")), "nowhere is not a folder"),
        (lambda: Path("shops").mkdir(), (None, Path("shops")), "holds no configuration"),
        (lambda: shop("shops/x.toml", "nightly"), (None, Path("shops")), "name of a deployment"),
        (lambda: shop("shops/x.toml", "x").write_text("[shop"), (None, Path("shops")), "not valid TOML"),
    ],
)
def test_what_can_not_be_served_is_refused(make, arguments, sentence):
    make()
    with pytest.raises(UsageError, match=sentence):
        configured_shops(*arguments)
