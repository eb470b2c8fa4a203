"""Telemetry of a worker: its health, its log, its metrics and its traces."""
