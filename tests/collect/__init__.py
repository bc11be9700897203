"""Tests of collect/: recorded answers for what a row holds, the simulated tenant for everything that is asked."""
