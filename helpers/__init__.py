"""From a bank's customer table to a monitored model: packages in the order of a model's life."""
