import json
import re
from html import unescape
from pathlib import Path

import polars as pl
import pytest

from features.contracts.findings import Finding, finding, to_json
from features.contracts.outputs import OCCASIONAL, OUTPUTS
from flows.night_folder import Note
from flows.stages.worded import worded_manifest
from reports.pages import report_html, write_report
from reports.summaries.printed_table import ROWS_SHOWN
from tests.reports.page_reader import read
from tests.reports.sample_nights import (
    SampleNight,
    budget_only_night,
    demo_night,
    open_bandit_night,
    tiny_night,
    undecided_night,
)

ATTACK = "</script><script>alert(1)</script>"
NIGHTS = {
    "demo": demo_night(),
    "open_bandit": open_bandit_night(),
    "tiny": tiny_night(),
    "budget_only": budget_only_night(),
    "undecided": undecided_night(),
}
PAGES = {name: report_html(sample.tables, sample.manifest) for name, sample in NIGHTS.items()}


def about(table: str, words: str) -> Finding:
    """Return a finding of the table that names something by these words."""
    if table == "out_segment_tasks":
        return finding("merged_segment", words, n_rounds=1, least=2, merged_into=words)
    return finding("gain_shown", words, other=words)


def with_text(sample: SampleNight, words: str) -> dict[str, pl.DataFrame]:
    """Return the tables with every free text replaced."""
    free = (
        "segment_id",
        "policy",
        "candidate",
        "item_id",
        "reason",
        "reasons",
        "findings",
        "reason_text",
        "example",
        "campaign_id",
    )
    return {
        name: frame.with_columns(
            pl.when(pl.col(column) == "all")
            .then(pl.col(column))
            .otherwise(pl.lit(to_json([about(name, words)]) if column == "findings" else words))
            .alias(column)
            for column in free
            if column in frame.columns
        )
        for name, frame in sample.tables.items()
    }


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_asks_nothing_of_the_network(page: str) -> None:
    assert not re.search(r"(?:https?:|//)\w", page)
    assert not re.search(r"""<(?:link|img|iframe|object|embed)\b|\bsrc=|@import|url\(""", page)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_tags_close_in_order_ids_are_unique_and_anchors_exist(page: str) -> None:
    found = read(page)

    assert found.mistakes == [] and found.open == []
    assert len(found.ids) == len(set(found.ids))
    anchors = {target[1:] for target in found.targets if target.startswith("#")}
    assert anchors <= set(found.ids)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_table_has_caption_scopes_and_sort_buttons(page: str) -> None:
    tables = re.findall(r"<table>.*?</table>", page, flags=re.DOTALL)

    assert tables
    for table in tables:
        assert "<caption>" in table
        heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table)
        assert heads and all(head.startswith('<button type="button">') for head in heads)
        assert table.count('<th scope="row"') == table.count("<tr>") - 1


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_figure_has_a_name_and_a_caption(page: str) -> None:
    for figure in re.findall(r"<figure>.*?</figure>", page, flags=re.DOTALL):
        assert re.search(r'role="img" aria-label="[^"]+"', figure)
        assert re.search(r"<figcaption>[^<]+", figure)


@pytest.mark.parametrize("name", NIGHTS)
def test_texts_of_the_logs_stay_text(name: str) -> None:
    kept = worded_manifest({}, {}, [Note("recommendation", "", finding("diverged", ATTACK))])
    page = report_html(with_text(NIGHTS[name], ATTACK), NIGHTS[name].manifest | kept | {"shop": ATTACK})

    assert page.count("<script>") == 1
    assert page.count("&lt;/script&gt;&lt;script&gt;alert(1)") >= 4
    assert read(page).mistakes == []


@pytest.mark.parametrize("name", NIGHTS)
def test_equal_inputs_give_equal_bytes(name: str) -> None:
    assert report_html(NIGHTS[name].tables, NIGHTS[name].manifest) == PAGES[name]


@pytest.mark.parametrize("name", NIGHTS)
def test_the_order_of_rows_is_irrelevant(name: str) -> None:
    shuffled = {
        table: frame.sample(fraction=1, shuffle=True, seed=3) for table, frame in NIGHTS[name].tables.items()
    }

    assert report_html(shuffled, NIGHTS[name].manifest) == PAGES[name]


def test_seconds_of_learning_do_not_show() -> None:
    sample = NIGHTS["demo"]
    slower = sample.tables["out_learning_curves"].with_columns(seconds=pl.col("seconds") + 1000)

    assert report_html(sample.tables | {"out_learning_curves": slower}, sample.manifest) == PAGES["demo"]


def test_numbers_of_the_tables_are_printed() -> None:
    page = PAGES["tiny"]

    assert "+5.1 pp (+1.0 to +9.3)" in page
    cells = NIGHTS["tiny"].tables["out_budget_allocation"]
    for amount in [*cells["spend_recommended_cents"], cells["spend_recommended_cents"].sum()]:
        assert f"{amount / 100:,.2f}" in page


def test_a_changed_number_changes_the_page() -> None:
    sample = NIGHTS["tiny"]
    moved = sample.tables["out_verdicts"].with_columns(difference=pl.col("difference") + 0.02)

    assert "+7.1 pp (+1.0 to +9.3)" in report_html(sample.tables | {"out_verdicts": moved}, sample.manifest)


@pytest.mark.parametrize("absent", sorted(set(OUTPUTS) - OCCASIONAL))
def test_a_missing_table_is_named_with_the_reason_why_it_matters(absent: str) -> None:
    sample = NIGHTS["tiny"]
    tables = {name: frame for name, frame in sample.tables.items() if name != absent}

    assert f"{absent} was not published: without it" in report_html(tables, sample.manifest)


@pytest.mark.parametrize("empty", sorted(set(OUTPUTS) - OCCASIONAL))
def test_a_table_without_rows_is_named_too(empty: str) -> None:
    sample = NIGHTS["tiny"]

    page = report_html(sample.tables | {empty: OUTPUTS[empty].create_empty()}, sample.manifest)

    assert f"{empty} has no rows: without it" in page


def test_a_night_without_anything_is_still_a_page() -> None:
    page = report_html({}, {})

    assert "The night published no verdict" in page
    assert read(page).mistakes == []


def test_what_is_to_be_said_of_one_interval_stands_below_its_row() -> None:
    sample = NIGHTS["tiny"]
    values = sample.tables["out_policy_values"]
    policy = values["policy"][0]
    method = finding("bca", policy, clusters="users", n_resamples=1000)
    numbers = {"effective": 81.0, "units": "rounds", "n_clusters": 3, "clusters": "users"}
    widened = finding("widened_for_rare_rewards", policy, **numbers)
    of_policy = pl.when(policy=policy).then(pl.lit(to_json([method, widened])))
    remarked = values.with_columns(interval_findings=of_policy.otherwise("interval_findings"))

    page = report_html(sample.tables | {"out_policy_values": remarked}, sample.manifest)

    said = (
        "Widened to Clopper-Pearson at 81 effective rounds, as fewer than 20 users have a reward that "
        "matters and is not the usual one."
    )
    assert page.count(said) == 1
    assert "intervals: BCa bootstrap over users, 1,000 resamples<" in page


def test_values_that_could_not_be_measured_print_as_dashes() -> None:
    sample = NIGHTS["tiny"]
    unknown = {
        "out_policy_values": sample.tables["out_policy_values"].with_columns(
            value=pl.lit(float("nan")), lower=pl.lit(None, pl.Float64), upper=pl.lit(None, pl.Float64)
        ),
        "out_verdicts": sample.tables["out_verdicts"].with_columns(
            difference=pl.lit(None, pl.Float64),
            lower=pl.lit(None, pl.Float64),
            upper=pl.lit(None, pl.Float64),
        ),
    }

    page = report_html(sample.tables | unknown, sample.manifest)

    assert "The difference could not be measured." in page
    assert "nan" not in page.lower().replace("finance", "")


@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_a_difference_that_cannot_be_judged_is_not_reported_as_a_gain(side: str) -> None:
    sample = NIGHTS["tiny"]
    verdicts = sample.tables["out_verdicts"]
    name = verdicts.filter(segment_id="all")[side][0]
    doubt = finding("little_support", name, supported_share=0.5, least=0.95)
    found = to_json([Finding("cannot_be_judged", name, because=(doubt,))])
    of_all = pl.col("segment_id") == "all"
    refused = verdicts.with_columns(
        findings=pl.when(of_all).then(pl.lit(found)).otherwise("findings"),
        verdict=pl.when(of_all).then(pl.lit("hold")).otherwise("verdict").cast(verdicts.schema["verdict"]),
    )

    page = unescape(report_html(sample.tables | {"out_verdicts": refused}, sample.manifest))

    assert "This difference can't be believed; the reason stands below." in page
    assert "a gain is more than chance" not in page
    assert "relative to" not in page
    assert "In 10,000 rounds" not in page


def test_a_single_user_never_shows() -> None:
    keys = NIGHTS["demo"].tables["out_recommendations"]["user_key"].unique()

    assert not any(key in PAGES["demo"] for key in keys)


def test_small_segments_show_no_user_count() -> None:
    small = re.findall(
        r'<td class="number" data-value="(\d+)">(?:[1-9]|1\d)</td>', users_columns(PAGES["demo"])
    )

    assert "&lt; 20" in PAGES["demo"]
    assert small == []


def test_reasons_of_the_gate_show_no_small_user_count() -> None:
    few = [
        finding("few_clusters", "maml", n_clusters=7, least=100, clusters="users"),
        finding("few_informative_clusters", "maml", n_clusters=3, least=20, clusters="users"),
    ]
    refusal = to_json([Finding("cannot_be_judged", "maml", because=tuple(few))])
    sample = NIGHTS["demo"]
    refused = {
        name: frame.with_columns(findings=pl.lit(refusal))
        for name, frame in sample.tables.items()
        if name in ("out_verdicts", "out_arm_checks")
    }
    refused["out_recommendations"] = sample.tables["out_recommendations"].with_columns(
        reason_text=pl.lit("The learned policy serves here. maml can't be judged: only 7 users.")
    )

    page = report_html(sample.tables | refused, sample.manifest)

    few_rewarded = "fewer than 20 users have a reward that matters and is not the usual one."
    assert f"fewer than 20 users, where 100 are needed; {few_rewarded}" in page
    assert not re.search(r"\b[37] users", page)
    assert "The learned policy serves here. maml can&#39;t be judged: fewer than 20 users" in page


def users_columns(page: str) -> str:
    """Return the cells below every head that says Users."""
    cells = []
    for table in re.findall(r"<table>.*?</table>", page, flags=re.DOTALL):
        heads = re.findall(r"<button[^>]*>(.*?)</button>", table)
        if "Users" in heads:
            body = table.split("<tbody>")[1].split("</tbody>")[0]
            for row in body.split("<tr>")[1:]:
                cells.append(re.findall(r"<t[hd].*?</t[hd]>", row, flags=re.DOTALL)[heads.index("Users")])
    assert cells
    return "".join(cells)


def test_logs_without_users_show_no_user_column() -> None:
    assert '<button type="button">Users</button>' not in PAGES["open_bandit"]
    assert "The logs know no users" in PAGES["open_bandit"]


def test_a_long_table_shows_its_first_rows_and_says_how_many_are_left() -> None:
    sample = NIGHTS["open_bandit"]
    verdicts = sample.tables["out_verdicts"].filter(pl.col("segment_id") != "all").head(1)
    many = pl.concat(
        [verdicts.with_columns(segment_id=pl.lit(f"s{number:03d}")) for number in range(ROWS_SHOWN + 7)]
    )

    page = report_html({"out_verdicts": many}, sample.manifest)

    assert "7 more rows are not shown here" in page
    assert f"s{ROWS_SHOWN - 1:03d}</th>" in page and f"s{ROWS_SHOWN:03d}</th>" not in page


def test_a_segment_whose_interval_lies_below_zero_is_listed_with_what_happens_there() -> None:
    page = PAGES["tiny"]

    assert "kept</li>" in page
    row = page[page.index(">north</th>") : page.index('class="why"')]
    assert re.search(r"</span> Kept</td>.*99", row, flags=re.DOTALL)
    assert "The probability that maml earns less here is 99%, above the 50% that" in page


def test_a_segment_name_may_break_after_its_bars_and_sorts_as_it_reads() -> None:
    sample = NIGHTS["tiny"]
    tables = with_text(sample, "region=<b>|device=tablet")

    page = report_html(tables, sample.manifest)

    assert "region=&lt;b&gt;|<wbr>device=tablet</th>" in page
    assert "<b>" not in page


def test_the_smaller_moves_fold_away_and_totals_stand_above_all_cells() -> None:
    page = PAGES["demo"]
    cells = page[page.index("<caption><span>Budget lines, EUR per day with spend, the biggest") :]
    first, rest = cells.split("</table>")[:2]

    assert first.index("All lines, all days") < first.index("</tbody>") < first.index(" · ")
    assert (first.count('<tr class="why">'), rest.count('<tr class="why">')) == (15, 9)
    assert "<summary>9 more budget lines</summary>" in rest


def test_a_note_of_several_learners_is_said_once_per_domain() -> None:
    sample = NIGHTS["open_bandit"]
    kept = [Note("recommendation", name, finding("start_kept", name)) for name in ("maml", "reptile")]

    page = report_html(sample.tables, sample.manifest | worded_manifest({}, {}, kept))

    said = "No step convincingly beat the warm start, so its parameters are kept."
    assert f"<li><strong>Recommendations, maml, reptile:</strong> {said}</li>" in page
    assert f"<li><strong>maml, reptile:</strong> {said}</li>" in page
    assert page.count(said) == 2


def test_a_segment_merged_before_its_windows_shows_no_counts_that_nobody_made() -> None:
    sample = NIGHTS["demo"]
    merged = pl.col("status").cast(pl.String) == "merged"
    tasks = sample.tables["out_segment_tasks"].with_columns(
        pl.when(merged).then(0).otherwise(pl.col(name)).alias(name)
        for name in ("n_query", "n_holdout", "n_users")
    )

    page = report_html(sample.tables | {"out_segment_tasks": tasks}, sample.manifest)

    row = re.search(r"</span> merged</td>(.*?)</tr>", page, flags=re.DOTALL)
    assert row
    assert re.findall(r">([^<>]+)</td>", row[1])[2:] == ["–", "–", "–"]


def test_late_logs_are_called_late() -> None:
    sample = NIGHTS["tiny"]

    page = report_html(sample.tables, sample.manifest | {"data_to": "2026-01-02"})

    assert "Late: logs end 3 days before the night" in page


def test_the_report_of_a_folder_is_the_report_of_its_tables(tmp_path: Path) -> None:
    sample = NIGHTS["tiny"]
    for name, frame in sample.tables.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "manifest.json").write_text(json.dumps(sample.manifest))

    path = write_report(tmp_path)

    assert path == tmp_path / "report" / "index.html"
    assert path.read_text(encoding="utf-8") == PAGES["tiny"]


def test_a_shop_with_few_users_shows_none_of_its_counts() -> None:
    assert set(NIGHTS["tiny"].tables["out_policy_values"]["n_users"]) == {7}
    assert set(re.findall(r">([^<>]+)</t[hd]>", users_columns(PAGES["tiny"]))) == {"&lt; 20"}
    assert 'data-value="7"' not in PAGES["tiny"]


def test_a_cautious_policy_is_served_with_the_reason_for_caution() -> None:
    sample = tiny_night()
    cautious = sample.tables["out_verdicts"].with_columns(
        candidate=pl.lit("pooled_cautious"), champion=pl.lit("pooled_cautious"), n_origins=pl.lit(3)
    )
    page = report_html(sample.tables | {"out_verdicts": cautious}, sample.manifest)
    assert "pooled_cautious serves from tomorrow: one model for everybody, followed less sharply" in page
    assert "learned anew at 3 dates, each time from the days before" in page
