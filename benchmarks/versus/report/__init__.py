"""What is shown of a run: tables, the plot, and docs/performance.*."""
