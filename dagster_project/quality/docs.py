"""Data Docs: a static site with the newest validation of every feed and built table, rewritten in place.

GX's site builder renders every validation it ever stored and copies 4 MB of images each time; a
site that grew by eight pages a night would cost more every night. Here each check renders its own
two pages with GX's renderers, into GX's own layout so that GX's links work, and the index lists
one line a feed or table. What earlier nights found is in the ledger.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from dagster_project.quality.results import CheckResult

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #ddd; padding: .4rem .6rem; text-align: left; vertical-align: top }
td.n { text-align: right } .critical { color: #b00020; font-weight: 600 } .warning { color: #8a5a00 }
"""


def update_docs(docs_dir: Path, *, outcome: Any, suite: Any, checks: tuple[CheckResult, ...], load: str) -> Path:
    """Replace the pages of one feed or table, and the index.

    Args:
        outcome: Great Expectations' validation result of the batch or table.
        suite: its suite, as Great Expectations' object.
        checks: the same results as ours, at least one, for the index.
        load: what to call this run on the page, e.g. the batch's folder.

    Returns:
        The index page.
    """
    outcome.meta["run_id"] = {"run_name": load, "run_time": datetime.now(UTC).isoformat()}
    _without_values(outcome)
    source, feed = checks[0].source, checks[0].feed
    place = suite.name.replace(".", "/")
    # GX's links climb one folder a part of the suite's name, and three more: run, time, batch.
    page = Path("validations") / place / "newest" / "run" / "batch.html"
    _write(docs_dir / page, _pages().validation_page(outcome))
    _write(docs_dir / "expectations" / f"{place}.html", _pages().suite_page(suite))
    summary = {
        "source": source,
        "feed": feed,
        "load": load,
        "page": page.as_posix(),
        "rows": max((c.element_count for c in checks), default=0),
        "rules": len(checks),
        "broken": [{"severity": c.severity.value, "message": c.message} for c in checks if not c.success],
    }
    _write(docs_dir / "summaries" / f"{source}.{feed}.json", json.dumps(summary, indent=1))
    return _write_index(docs_dir)


def _write_index(docs_dir: Path) -> Path:
    """One line a feed, from the feeds' summaries (1-2 ms for 8 feeds)."""
    files = sorted((docs_dir / "summaries").glob("*.json"))
    lines = "\n".join(_index_line(json.loads(file.read_text(encoding="utf-8"))) for file in files)
    index = docs_dir / "index.html"
    _write(
        index,
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Clientele: data quality</title>"
        f"<style>{_STYLE}</style></head><body><h1>Data quality: newest batch of each feed, newest build "
        "of each table</h1><table>"
        f"<tr><th>Feed or table</th><th>Load</th><th>Rows</th><th>Rules</th><th>Broken</th></tr>\n{lines}\n"
        f"</table></body></html>\n",
    )
    return index


def _index_line(summary: dict[str, Any]) -> str:
    broken = "<br>".join(
        f"<span class='{escape(b['severity'])}'>{escape(b['severity'])}</span> {escape(b['message'])}"
        for b in summary["broken"]
    )
    name = escape(f"{summary['source']}.{summary['feed']}")
    return (
        f"<tr><td><a href='{escape(summary['page'])}'>{name}</a></td><td>{escape(summary['load'])}</td>"
        f"<td class='n'>{summary['rows']:,}</td><td class='n'>{summary['rules']}</td>"
        f"<td>{broken or 'none'}</td></tr>"
    )


@dataclass(frozen=True)
class _Pages:
    """GX's renderers; made once a process, since a new view compiles its templates (35 ms)."""

    view: Any
    validation: Any
    suite: Any

    def validation_page(self, outcome: Any) -> str:
        return str(self.view.render(self.validation.render(outcome), show_how_to_buttons=False))

    def suite_page(self, suite: Any) -> str:
        return str(self.view.render(self.suite.render(suite), show_how_to_buttons=False))


@cache
def _pages() -> _Pages:
    from great_expectations.render.renderer.page_renderer import (
        ExpectationSuitePageRenderer,
        ValidationResultsPageRenderer,
    )
    from great_expectations.render.view import DefaultJinjaPageView

    return _Pages(
        view=DefaultJinjaPageView(),
        validation=ValidationResultsPageRenderer(run_info_at_end=True),
        suite=ExpectationSuitePageRenderer(),
    )


def _without_values(outcome: Any) -> None:
    """Strip what may hold values of rows: samples, sets, text and dates observed."""
    for result in outcome.results:
        kept = {k: v for k, v in result.result.items() if isinstance(v, int | float)}
        result.result = kept


def _write(path: Path, content: str) -> None:
    """Replace a file in one step, so a reader never sees half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(content, encoding="utf-8")
    beside.replace(path)
