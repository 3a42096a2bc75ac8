"""`/v1`: the API for servers: agency, partners, channels."""
