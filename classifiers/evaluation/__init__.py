"""How good scores are: calibration, reports, drawings, several scores side by side."""
