"""How Winnow is brought to the machines it runs on: image, Dataflow, Flink, Kubernetes, cron."""
