"""The same warehouse on Apache Spark, for when one machine is not enough."""
