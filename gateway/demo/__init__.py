"""`sluis demo`: the whole job against simulated banks over real HTTP, told as it happens."""

from gateway.demo.run import Demo, DemoOptions

__all__ = ["Demo", "DemoOptions"]
