"""The contract of the canonical feeds: what a source can fill and the star reads. Knows neither Dagster nor dbt."""
