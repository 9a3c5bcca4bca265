"""What runs a stage: DirectRunner, Flink, Dataflow or any portable runner; their options, checks and interruption."""
