"""Apache Superset over the store: its own environment, datasets from the metric dictionary, dashboards from files."""
