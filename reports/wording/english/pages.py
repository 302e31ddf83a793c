"""English: the frame of the pages, the overview, and data quality."""

from collections.abc import Mapping

from features.areas import AREAS

FRAME: Mapping[str, str] = {
    "page.title": "{shop}, night of {date}",
    "page.unknown_shop": "A shop",
    "page.unknown_date": "unknown date",
    "page.skip": "Skip to the overview",
    "page.brand": "metacart · nightly report",
    "page.sections": "Sections",
    "page.footer": "Built from the published tables alone.",
    "page.footer_of_run": "Built from the published tables alone, run {run}.",
    "page.label": "{name}:",
    "title.overview": "Overview",
    "title.evaluation": "Evaluation",
    "title.decisions": "Decisions",
    "title.data_quality": "Data quality",
    "title.glossary": "Glossary",
    "question.overview": "What did the night decide, and what supports it?",
    "question.evaluation": "What is each policy worth, and how sure is that?",
    "question.decisions": "What will be shown and spent tomorrow?",
    "question.data_quality": "What did the night read, and what did it refuse?",
    **{f"area.{area.name}": area.title for area in AREAS},
    **{f"area_inside.{area.name}": area.title.lower() for area in AREAS},
    "yes": "yes",
    "no": "no",
    "hidden": "hidden",
    "some_of": "{n_some} of {n_all}",
}

TABLES_THAT_LACK: Mapping[str, str] = {
    "absent.missing": "{table} was not published: {why}.",
    "absent.empty": "{table} has no rows: {why}.",
    **{
        f"absent_why.{name}": table.why_it_matters
        for area in AREAS
        for name, table in area.tables.items()
        if table.why_it_matters
    },
    "absent_why.out_policy_values": "without it no policy has a measured value",
    "absent_why.out_verdicts": "without it the gate's decision and its reasons are unknown",
    "absent_why.out_segment_tasks": (
        "without it nobody can see which segments were learned from, and which were merged"
    ),
    "absent_why.out_learning_curves": "without it nobody can see whether learning had settled",
    "absent_why.out_data_quality": "without it nobody can see which lines were refused",
}

OVERVIEW: Mapping[str, str] = {
    "lead.new_policy": "A new policy serves {areas} tomorrow.",
    "lead.no_change": "No policy changes tomorrow: no candidate passed the gate.",
    "lead.no_change_but_tests": "No policy changes tomorrow.",
    "lead.test": (
        "For {areas} one is worth a test: it would have been promoted, had propensities been logged instead "
        "of estimated."
    ),
    "lead.experiment": "An experiment gives {share} of the users the recommendations of a candidate.",
    "lead.unproven": "Nothing proves the {areas}, which were not judged.",
    "lead.planned": "The night decided {plans} alone: no policy was judged.",
    "lead.nothing": (
        "The night decided nothing: the reasons stand below, and data quality says what was read "
        "and what was refused."
    ),
    "lead.no_verdict": (
        "The night published no verdict, so nothing here says which policy should serve tomorrow."
    ),
    "fresh.unknown": "Freshness unknown: the manifest names no night or no last logged day",
    "fresh.ahead": "Logs run {n_days} days past the night; check as_of",
    "fresh.ahead.one": "Logs run 1 day past the night; check as_of",
    "fresh.on_time": "On time: logs reach the night",
    "fresh.late": "Late: logs end {n_days} days before the night",
    "fresh.late.one": "Late: logs end 1 day before the night",
    "verdict.promote": "Promote",
    "verdict.test": "Test",
    "verdict.hold": "Hold",
    "verdict.reject": "Reject",
    "verdict.not_decided": "Not decided",
    "decided.promote": "{candidate} serves from tomorrow. It beats {baseline}, the strongest baseline.",
    "decided.promote_known": (
        "{candidate} serves from tomorrow: {about}. It beats {baseline}, the strongest baseline."
    ),
    "decided.test": (
        "{champion} keeps serving. {candidate} is worth a test: on estimated propensities it beats "
        "{baseline}, the strongest baseline."
    ),
    "decided.test_beside_lists": (
        "{candidate} is worth a test: on estimated propensities it beats {baseline}, the strongest "
        "baseline. Until then lists serve that nothing proves."
    ),
    "decided.hold_beside_lists": (
        "{candidate} is not proven better than {baseline}, the strongest baseline. Lists serve that "
        "nothing proves."
    ),
    "decided.reject_beside_lists": "{candidate} was refused. Lists serve that nothing proves.",
    "decided.hold": (
        "{champion} keeps serving. {candidate} is not proven better than {baseline}, the strongest baseline."
    ),
    "decided.reject": "{champion} keeps serving. {candidate} was refused.",
    "difference.label": "Candidate less strongest baseline",
    "difference.unknown": "The difference could not be measured.",
    "difference.not_believed": "This difference can't be believed; the reason stands below.",
    "difference.above": "The whole interval lies above zero: a gain is more than chance.",
    "difference.below": (
        "The whole interval lies below zero: the candidate loses more than chance explains."
    ),
    "difference.across": "The interval contains zero: a difference of this size can be chance.",
    "difference.relative": "It is {change} relative to {baseline}.",
    "difference.per_rounds": "In {n_rounds} rounds: {difference} rewards ({interval}).",
    "difference.money_per_rounds": "In {n_rounds} rounds: {difference} {currency} ({interval}).",
    "difference.discounted": (
        "Policies that pass a gate were lucky more often than not. Less that luck, the lead is about {lead}, "
        "and hardly more than {upper}."
    ),
    "judged.day": "{first}",
    "judged.days": "{first} to {last}",
    "judged.newest": "Judged on {n_rounds} rounds, {days}, that nothing was fitted on.",
    "judged.newest.one": "Judged on 1 round, {days}, that nothing was fitted on.",
    "judged.rolling": (
        "Judged on {n_rounds} rounds, {days}: learned anew at {n_origins} dates, each time from "
        "the days before. The early versions knew less than the one that serves, so the difference is a "
        "cautious one."
    ),
    "judged.by_chance": "Judged on {n_rounds} rounds.",
    "judged.by_chance.one": "Judged on 1 round.",
    "judged.by_chance_anew": "Judged on {n_rounds} rounds, learned anew {n_origins} times.",
    "judged.split_by_user": (
        "The log has no times, so chance decided which users teach and which judge: the result says nothing "
        "of change over time."
    ),
    "judged.split_by_round": (
        "The log has no times, so chance decided which rounds teach and which judge: the result says nothing "
        "of change over time."
    ),
    "why.label": "Why:",
    "segments.none_lose": (
        "Segments: {n_served} served, {n_kept} kept, {n_protected} protected; no loss stands out among them."
    ),
    "segments.lose": (
        "Segments: {n_served} served, {n_kept} kept, {n_protected} protected; {n_harmed} losses stand out "
        "among them."
    ),
    "segments.lose.one": (
        "Segments: {n_served} served, {n_kept} kept, {n_protected} protected; 1 loss stands out among them."
    ),
    "overview.counts": "Key counts",
    "overview.notes": "Notes of the night",
    "overview.cautions": "What these numbers do not prove",
    "overview.provenance": "How this night was made",
    "fact.rounds_judged": "{area}: rounds judged",
    "fact.segments": "{area}: segments",
    "fact.segments.used": "{n} used",
    "fact.segments.merged": "{n} merged",
    "fact.segments.pooled_only": "{n} pooled only",
    "fact.rejected": "Highest share of lines rejected",
    "fact.rejected.some": "{share} of {source}",
    "fact.rejected.none": "none",
    "made.run": "Run",
    "made.source": "Source",
    "made.reward": "Reward",
    "reward_is.click": "click",
    "reward_is.conversion": "conversion",
    "reward_is.revenue": "revenue of orders, in {currency}",
    "reward_is.margin": "margin of orders, revenue less cost, in {currency}",
    "reward_is.weighted": "weighted sum: {parts}",
    "reward_weight.click": "{worth} {currency} for a click",
    "reward_weight.conversion": "{worth} {currency} for an order",
    "reward_weight.revenue": "{worth} {currency} for each {currency} of revenue",
    "reward_weight.margin": "{worth} {currency} for each {currency} of margin",
    "made.unit": "Unit of evidence",
    "made.unit.user": "user",
    "made.unit.round": "round",
    "made.logs": "Logs",
    "made.inputs": "Input files",
    "made.currency": "Currency",
    "made.config_hash": "Config hash",
    "made.seed": "Seed",
    "made.device": "Device",
    "made.versions": "Versions",
}

POLICIES: Mapping[str, str] = {
    "policy_about.pooled_reward_model": "one model for everybody",
    "policy_about.pooled_cautious": (
        "one model for everybody, followed less sharply, since following it sharply promises more and is not "
        "proven yet"
    ),
    "policy_about.mixed_effects": "one model for everybody, and on top what each segment likes otherwise",
    "policy_about.maml": "one model for everybody that takes a few more learning steps in each segment",
    "policy_about.popularity": "one best-seller list for everybody",
    "policy_about.segment_item_rates": "the mean reward of each item in each segment",
    "policy_about.crosses_logit": "a logistic regression of segments, items and their traits",
    "policy_about.boosting": "boosted trees over segments and the traits of items",
}
"""What a policy is, for a reader who has never met its name."""

CAUTIONS: Mapping[str, str] = {
    "caution.logs": (
        "Values are estimated from logs, not measured in an experiment. They hold if the logged propensities "
        "are right and nothing unlogged drove both what was shown and what was rewarded. What serves is "
        "fitted once more afterwards, to the rounds of these values too."
    ),
    "caution.chance": (
        "An interval speaks of chance in these logs. It says nothing of a new season, new prices or a new "
        "catalog after the last logged day."
    ),
    "caution.segments": (
        "A segment that is not listed as harmed is not proven safe: small segments have wide intervals. What "
        "is listed stands out among all segments, at a chance of 5% that even one of them does so by luck."
    ),
    "caution.rounds": (
        "The logs know no users, so the round is the unit. Rounds of one person count as independent, and "
        "intervals may be too narrow for it."
    ),
    "caution.spend": (
        "Expected revenue comes from curves fitted on past spend. Past spend followed demand, so a curve can "
        "take demand for effect; move in steps and look again."
    ),
    "caution.simulated": (
        "This shop is simulated. Its true values are known here and only here; they test the method, they "
        "promise nothing for a real shop."
    ),
}

DATA_QUALITY: Mapping[str, str] = {
    "quality.all_loaded": "{n_sources} sources read, no line rejected.",
    "quality.all_loaded.one": "1 source read, no line rejected.",
    "quality.rejecting": "{n_sources} sources read, {n_refusing} of them with rejected lines.",
    "quality.rejecting.one": "1 source read, with rejected lines.",
    "quality.adds_up": "Every line was either loaded or rejected with a reason.",
    "quality.lost": (
        "In {n_lost} of them loaded and rejected lines do not make up the lines read: lines were lost."
    ),
    "quality.in_part": "in part",
}

TEXTS: Mapping[str, str] = {
    **FRAME,
    **TABLES_THAT_LACK,
    **OVERVIEW,
    **POLICIES,
    **CAUTIONS,
    **DATA_QUALITY,
}
