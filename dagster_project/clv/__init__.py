"""What customers are worth: purchase and value models fitted on grouped statistics, landed as artefacts.

Knows neither Dagster nor dbt. Import its modules where they are used: they load numpy and scipy.
"""
