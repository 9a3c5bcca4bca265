"""The processes that a runner starts or finds: on this machine, in a pool, and what they must have."""
