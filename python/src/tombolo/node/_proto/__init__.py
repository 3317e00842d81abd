"""Generated from proto/control.proto by python/generate_control.sh."""
