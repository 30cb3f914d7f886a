"""The agent vip with a gate: the address follows the leader in a store."""
