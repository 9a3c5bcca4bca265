"""One holder a folder: a lock on a disk, a lease on an object store."""
