"""Reading feeds from PostgreSQL through ADBC: one snapshot a load, streamed, typed exactly."""
