"""Small shops that have nothing but an export, in the forms that people download: each with its truth.

All numbers are drawn here; no line is anybody's.
"""

from pathlib import Path

import numpy as np
import polars as pl

MAILS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
# Probability of a visit after each mail, by whether the customer is new: the best mail is another one.
VISITS = {0: (0.10, 0.22, 0.14), 1: (0.08, 0.10, 0.20)}

QUICK = """
[learning]
learners = ["segment_item_rates", "popularity"]
max_steps = 10
[evaluation]
resamples = 100
"""

MAIL_TOML = '''
[shop]
name = "mails"
source = "files"
logs = "."
currency_code = "USD"
[paths]
data = "data"
[segments]
by = ["newbie"]

[[files]]
path = "mails.csv"
[files.impressions]
ids.impression_id = "row number"
ids.session_id = "row number"
constants.shown_at = "2026-01-05T00:00:00Z"
constants.surface = "mail"
constants.slot = 1
columns.item_id = "segment"
constants.propensity = 0.333333333333
constants.policy_version = "coin"
expressions.context = """
  '{"newbie": "' || newbie || '", "zip_code": "' || zip_code || '", "channel": "' || channel || '",' ||
  '"recency": ' || recency || ', "history_segment": "' || history_segment || '"}' """
[files.events]
where = "visit = '1'"
ids.event_id = "row number"
ids.session_id = "row number"
ids.impression_id = "row number"
constants.occurred_at = "2026-01-05T00:00:00Z"
constants.event_type = "click"
columns.item_id = "segment"
'''


def mail_experiment(folder: Path, n_customers: int = 9000) -> Path:
    """Write an e-mail experiment without times and without people; return the configuration.

    Three mails at random, a visit or none, and rarely an order.
    """
    chance = np.random.default_rng(11)
    mail = chance.integers(0, 3, n_customers)
    newbie = chance.integers(0, 2, n_customers)
    visit = chance.random(n_customers) < np.array([VISITS[0], VISITS[1]])[newbie, mail]
    conversion = visit & (chance.random(n_customers) < 0.1)
    pl.DataFrame(
        {
            "recency": chance.integers(1, 13, n_customers),
            "history_segment": chance.choice(["1) $0 - $100", "2) $100 - $200"], n_customers),
            "zip_code": chance.choice(["Surburban", "Rural", "Urban"], n_customers),
            "newbie": newbie,
            "channel": chance.choice(["Phone", "Web", "Multichannel"], n_customers),
            "segment": np.array(MAILS)[mail],
            "visit": visit.astype(int),
            "conversion": conversion.astype(int),
            "spend": np.where(conversion, chance.integers(30, 300, n_customers), 0),
        }
    ).write_csv(folder / "mails.csv")
    return _written(folder, MAIL_TOML)


# Approved conversions of a campaign per day: RATE * spend ** 0.5, spend in the currency.
CAMPAIGNS = {"916": 0.2, "936": 0.5, "1178": 1.0}
APPROVED_WORTH = 100
N_DAYS = 56

ADS_TOML = """
[shop]
name = "ads"
source = "files"
logs = "."
currency_code = "USD"
[paths]
data = "data"

[[files]]
path = "conversions.csv"
time_format = "%d-%m-%Y"
[files.ad_spend_daily]
columns.date = "reporting_start"
columns.campaign_id = "campaign_id"
constants.channel = "facebook"
constants.segment_id = "all"
columns.impressions = "impressions"
columns.clicks = "clicks"
columns.spend_cents = "spent"
units.spend_cents = "currency"
columns.conversions = "approved_conversion"
expressions.revenue_cents = "approved_conversion * 10000"    # each is worth 100.00
"""


def campaign_export(folder: Path) -> Path:
    """Write the export of a platform: a line for each ad, age, gender and interest of a day."""
    chance = np.random.default_rng(12)
    rows = []
    for day in pl.date_range(pl.date(2025, 8, 1), pl.date(2025, 9, 25), eager=True):
        for campaign, rate in CAMPAIGNS.items():
            spent = round(float(chance.uniform(20, 120)), 2)
            approved = chance.poisson(rate * spent**0.5)
            shares = np.diff(np.linspace(0, round(spent * 100), 5).round()).astype(int)
            parts = chance.multinomial(approved, [0.25] * 4)
            for place, (cents, part) in enumerate(zip(shares, parts, strict=True)):
                rows.append(
                    {
                        "ad_id": 708746 + place,
                        "reporting_start": day.strftime("%d-%m-%Y"),
                        "reporting_end": day.strftime("%d-%m-%Y"),
                        "campaign_id": campaign,
                        "age": ("30-34", "45-49")[place // 2],
                        "gender": ("M", "F")[place % 2],
                        "interest1": 15 + place,
                        "impressions": int(cents) * 20,
                        "clicks": int(cents) // 50,
                        "spent": f"{cents / 100:.2f}",
                        "total_conversion": int(part) * 2,
                        "approved_conversion": int(part),
                    }
                )
    pl.DataFrame(rows).write_csv(folder / "conversions.csv")
    return _written(folder, ADS_TOML)


DISPLAY_TOML = '''
[shop]
name = "display"
source = "files"
logs = "."
currency_code = "EUR"
[paths]
data = "data"

[[files]]
path = "display.csv"
decimal = "."
[files.ad_spend_daily]
expressions.date = """
  case month when 'April' then '2025-04-' when 'May' then '2025-05-' end || right('0' || day, 2) """
columns.campaign_id = "campaign_number"
columns.channel = "placement"
columns.segment_id = "user_engagement"
columns.impressions = "displays"
columns.clicks = "clicks"
columns.spend_cents = "cost"
units.spend_cents = "currency"
columns.conversions = "post_click_conversions"
columns.revenue_cents = "post_click_sales_amount"
units.revenue_cents = "currency"
'''
# Sales per day of a placement: RATE * cost ** 0.6.
PLACEMENTS = {"abc": 3.0, "def": 9.0}
ENGAGEMENTS = ("High", "Low")
BANNERS = ("160 x 600", "728 x 90", "468 x 60")
# Written by hand into the export: one line of one banner twice, and one with more clicks than displays.
N_TWICE, N_BROKEN = 1, 1


def display_export(folder: Path) -> Path:
    """Write an export by banner and placement, with a month's name and a day but no year."""
    chance = np.random.default_rng(13)
    rows = []
    for month, n_days in (("April", 30), ("May", 31)):
        for day in range(1, n_days + 1):
            for placement, rate in PLACEMENTS.items():
                for engagement in ENGAGEMENTS:
                    cost = float(chance.uniform(15, 90))
                    sales = rate * cost**0.6 * float(chance.uniform(0.9, 1.1))
                    for banner in BANNERS:
                        rows.append(
                            {
                                "month": month,
                                "day": day,
                                "campaign_number": "camp 1",
                                "user_engagement": engagement,
                                "banner": banner,
                                "placement": placement,
                                "displays": int(cost * 100),
                                "cost": round(cost / 3, 4),
                                "clicks": int(cost),
                                "revenue": round(cost / 2, 4),
                                "post_click_conversions": int(sales / 30),
                                "post_click_sales_amount": round(sales / 3, 4),
                            }
                        )
    rows.append(rows[-1])
    rows.append(rows[0] | {"displays": 3, "clicks": 9})
    pl.DataFrame(rows).write_csv(folder / "display.csv")
    return _written(folder, DISPLAY_TOML)


def _written(folder: Path, toml: str) -> Path:
    config = folder / "shop.toml"
    config.write_text(toml.replace("\n[[files]]", f"{QUICK}\n[[files]]", 1), encoding="utf-8")
    return config
