"""The pages of one night's report, and the two ways to build it."""

from reports.pages.report import report_html, write_report

__all__ = ["report_html", "write_report"]
