"""The Dataflow Flex Template: one small driver job that runs `winnow run`, which submits a job for each stage."""
