"""`python -m dagster_project` is `clientele`."""

from dagster_project.cli import main

main()
