"""Where others read the warehouse: a PostgreSQL store that follows the releases, and exports of files."""
