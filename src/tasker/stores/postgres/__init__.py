"""The store on PostgreSQL, which any number of nodes share."""
