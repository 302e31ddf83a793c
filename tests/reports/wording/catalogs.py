"""Every language; a new one is added here and nowhere else among tests."""

from reports.wording.catalog import Catalog
from reports.wording.english import ENGLISH
from tests.reports.wording.made_up import MADE_UP

CATALOGS: dict[str, Catalog] = {"english": ENGLISH, "made up": MADE_UP}
