"""Imported once by the server that commands are forked from, so that a fault costs no start of torch."""

import matplotlib.pyplot
import pandas
import safetensors.torch
import torch

import sfigf.cli
import sfigf.degrading
import sfigf.figures
import sfigf.render.scene
import sfigf.restoring
import sfigf.robustness
import sfigf.score
import sfigf.train

__all__ = ["matplotlib", "pandas", "safetensors", "sfigf", "torch"]
