"""Minutes of uploads while things break: what was acknowledged must be there at the end."""
