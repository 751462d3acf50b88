"""Tests of what Ponto sends us."""
