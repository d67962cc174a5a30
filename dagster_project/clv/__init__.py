"""What customers are worth: purchase and value models fitted on grouped statistics, landed as artefacts.

Knows neither Dagster nor dbt. Import its modules where they are used: they load numpy and scipy.
"""

import os

# A search among four parameters has nothing to share out: where other work runs too, its threads wait for each other
# eight times as long as they work. Read when scipy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
