"""Background work: the relay, the RQ worker, the schedule, and the thin jobs that bind topics to verbs."""
