"""Stages by torchtitan, for what the local runner has not: tensor, pipeline and context parallelism, float8.

torchtitan owns its loop and trains one stage a launch. It is given three things of ours: its own configuration made
from the recipe, a loader that is a pure function of the step, and the learning rate as a pure function of the step.
"""
