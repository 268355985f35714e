"""Statistics of the audience: growth and sign-ups, and a cache of counts for pages."""
