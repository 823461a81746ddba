"""The engine on other machines: gateways send frames to replicas. Only ``ray_serve`` imports Ray."""
