"""Stages trained by torchtitan, for what the local runner lacks: tensor, pipeline and context parallelism, float8.

torchtitan owns its loop and trains one stage a launch. Winnow gives it three things: its configuration made
from the recipe, a loader that is a pure function of the step, and the learning rate as a pure function of the step.
"""
