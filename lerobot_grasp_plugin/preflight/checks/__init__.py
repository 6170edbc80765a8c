"""The checks, one module per topic: functions from facts to findings."""
