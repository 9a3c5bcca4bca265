"""Flink: a local cluster from package registries alone, its settings, and manifests for Kubernetes."""
