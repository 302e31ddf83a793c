from pathlib import Path
from typing import get_args

import pytest

from features.errors import UsageError
from flows.settings import LearnerName, read_settings
from flows.shops import OPEN_BANDIT, SIMULATED, write_config
from offline_rl.meta.named_learners import BASELINE, LEARNERS

SHOP = '[shop]\nname = "shop"\nsource = "simulated"\nlogs = "logs"\n'

WEIGHTED = '[night]\nreward = "weighted"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "metacart.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_relative_paths_belong_to_the_file_and_not_to_where_one_stands(tmp_path, monkeypatch):
    path = written(tmp_path, SHOP + '[paths]\ndata = "../out"\n')
    monkeypatch.chdir("/")
    settings = read_settings(path)
    assert settings.shop.logs == tmp_path / "logs"
    assert settings.paths.data == tmp_path.parent / "out"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SHOP + "[night]\nsede = 1\n", "night.sede is not a known key"),
        (SHOP.replace("name", "nmae", 1), "shop.name is missing"),
        (SHOP + "[night]\nattribution_hours = -1\n", "night.attribution_hours = -1"),
        (SHOP + "[segments]\nsupport_share = 0.8\nquery_share = 0.3\n", "must leave a holdout"),
        (SHOP.replace('"shop"', '"../shop"'), "shop.name"),
        ("[shop\n", "not valid TOML"),
        (SHOP + '[night]\nreward = "sales"\n', "night.reward = 'sales'"),
        (SHOP + '[night]\nreward = "weighted"\n', "needs a weight above 0 for one of click, conversion"),
        (SHOP + WEIGHTED + "reward_weights = { revenue = 0.0 }\n", "needs a weight above 0"),
        (
            SHOP + WEIGHTED + "reward_weights = { sales = 1 }\n",
            "night.reward_weights.sales is not a known key",
        ),
        (SHOP + WEIGHTED + "reward_weights = { click = -1 }\n", "night.reward_weights.click = -1"),
        (SHOP + "[night.reward_weights]\nclick = 1\n", 'counts only for night.reward = "weighted"'),
    ],
)
def test_a_wrong_file_is_refused_with_the_key(tmp_path, text, complaint):
    with pytest.raises(UsageError, match=complaint.replace(".", r"\.")):
        read_settings(written(tmp_path, text))


def test_weights_say_what_one_of_each_result_is_worth(tmp_path):
    text = SHOP + WEIGHTED + "[night.reward_weights]\nclick = 0.01\nrevenue = 1\n"
    counted = read_settings(written(tmp_path, text)).night.counted
    assert (counted.name, counted.worth) == ("weighted", {"click": 0.01, "revenue": 1.0})
    assert read_settings(written(tmp_path, SHOP)).night.counted.worth == {"click": 1.0}


def test_a_missing_file_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="metacart init"):
        read_settings(tmp_path / "metacart.toml")


def test_the_environment_overrides_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("METACART_NIGHT__SEED", "7")
    assert read_settings(written(tmp_path, SHOP + "[night]\nseed = 1\n")).night.seed == 7


def test_the_hash_follows_what_can_change_a_number_and_nothing_else(tmp_path):
    plain = read_settings(written(tmp_path, SHOP)).content_hash
    moved = read_settings(written(tmp_path, SHOP.replace('"logs"', '"elsewhere"'))).content_hash
    reseeded = read_settings(written(tmp_path, SHOP + "[night]\nseed = 1\n")).content_hash
    silent = (
        "[time_limits]\nnight_minutes = 1\n[retries]\ntimes = 3\n[alerts]\nwebhook_url = 'https://x/secret'\n"
    )
    alarmed = read_settings(written(tmp_path, SHOP + silent))
    assert plain == moved == alarmed.content_hash
    assert "secret" not in str(alarmed.content)
    assert plain != reseeded


@pytest.mark.parametrize("kind", [OPEN_BANDIT, SIMULATED])
def test_every_written_configuration_can_be_read_and_names_every_key(tmp_path, kind):
    path = tmp_path / "metacart.toml"
    write_config(path, kind, name="shop", logs=tmp_path, data=tmp_path)
    settings = read_settings(path)
    text = path.read_text(encoding="utf-8")
    for table, keys in settings.model_dump().items():
        assert f"[{table}]" in text
        assert all(f"{key} = " in text for key in keys)


def test_written_defaults_are_the_defaults_of_the_code(tmp_path):
    path = tmp_path / "metacart.toml"
    write_config(path, SIMULATED, name="shop", logs=tmp_path / "logs", data=tmp_path / "data")
    told, silent = read_settings(path), read_settings(written(tmp_path, SHOP))
    for table in ("night", "learning", "evaluation", "budget", "time_limits", "retries", "alerts"):
        assert getattr(told, table) == getattr(silent, table)


def test_an_existing_configuration_stays(tmp_path):
    path = written(tmp_path, SHOP)
    assert not write_config(path, SIMULATED, name="other", logs=tmp_path, data=tmp_path)
    assert path.read_text(encoding="utf-8") == SHOP


def test_every_learner_but_the_baseline_can_be_asked_for():
    assert set(get_args(LearnerName)) == set(LEARNERS) - {BASELINE.name}
