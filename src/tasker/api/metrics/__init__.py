"""What Prometheus and others that speak its formats read."""
