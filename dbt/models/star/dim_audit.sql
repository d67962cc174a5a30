-- One row per landed batch: load, source and feed, with its counts.
-- Additive: the counts; read = accepted + unchanged + already landed + quarantined + rejected, deletions apart.
-- Read whole from the ledger's copy in ops.batch each load, so it only ever grows.
with
batches as (
    {{ ledger_batches() }}
)

select
    {{ hash_key(['load_id', 'source', 'feed']) }} as audit_key,
    load_id,
    source as source_system,
    feed,
    source || '.' || feed as source_feed,
    cast(load_date as date) as load_date,
    cast(mode as string) as mode,
    cast(rows_read as bigint) as rows_read,
    cast(rows_accepted as bigint) as rows_accepted,
    cast(rows_unchanged as bigint) as rows_unchanged,
    cast(rows_already_landed as bigint) as rows_already_landed,
    cast(rows_quarantined as bigint) as rows_quarantined,
    cast(rows_rejected as bigint) as rows_rejected,
    cast(rows_deleted as bigint) as rows_deleted
from batches
{{ with_special_members() }}
