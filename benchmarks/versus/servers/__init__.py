"""LINE, OpenAI, DynamoDB and SQS on loopback, over TLS, without think time, in one process."""

from benchmarks.versus.servers.world import World, servers

__all__ = ["World", "servers"]
