"""Against a real vLLM: `make test-vllm`."""
