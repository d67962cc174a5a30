"""What the page on quality shows: the figures of all loads that the release remembers."""

from dagster_project.serving.report.figures import FRESHNESS, Chart, Figure

FIGURES = (
    Figure(
        "Rules over the loads",
        "How many held and how many did not: expectations on batches and on tables that were built.",
        "select l.load_date as load_date, count(*) filter (where q.success) as held,"
        " count(*) filter (where not q.success) as broken"
        " from ops.quality_result as q join ops.load as l using (load_id) group by l.load_id, 1 order by l.load_id",
        Chart("line", "load_date", ("held", "broken")),
    ),
    Figure(
        "Rules that did not hold",
        "Each rule, in how many loads it did not hold, and when last.",
        "select q.source || '.' || q.feed as of, q.rule, q.severity, count(*) as loads,"
        " max(l.load_date) as last_load_date, max(q.unexpected_count) as most_rows"
        " from ops.quality_result as q join ops.load as l using (load_id)"
        " where not q.success group by 1, 2, 3 order by last_load_date desc, 1, 2",
    ),
    Figure(
        "Rows over the loads",
        "Read, accepted, set aside by a rule, and rejected, of all feeds.",
        "select load_date, sum(rows_read) as rows_read, sum(rows_accepted) as rows_accepted,"
        " sum(rows_quarantined) as rows_quarantined, sum(rows_rejected) as rows_rejected"
        " from ops.batch group by load_id, 1 order by load_id",
        Chart("line", "load_date", ("rows_read", "rows_accepted", "rows_quarantined")),
    ),
    FRESHNESS,
    Figure(
        "Reconciliation",
        "Facts against feeds and cubes against facts: the largest difference of all loads. Any but 0 is not published.",
        "select from_table, to_table, measure, count(*) as loads, max(abs(difference)) as largest_difference"
        " from ops.reconciliation group by 1, 2, 3 order by 1, 2, 3",
    ),
    Figure(
        "Restated months",
        "Past months that loads changed, and by how much: late rows and corrections.",
        "select l.load_date, r.feed, r.month, r.measure, r.change from ops.restatement as r"
        " join ops.load as l using (load_id) order by l.load_id desc, 2, 3, 4 limit 200",
    ),
)
