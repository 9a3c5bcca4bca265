"""What a run tells: the ledger, records looked up, progress, metrics, notices, exit codes."""
