"""The report: an evidence pack as plain data, and as one page that needs nothing else."""
