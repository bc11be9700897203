"""Tests of cloud/: the real clients against scripted services on loopback, and the simulated tenant."""
