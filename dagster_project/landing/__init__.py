"""Landing: what a source has that is new becomes an immutable, accounted batch of Parquet."""
