"""The only package that knows the other three: screens, routes, the command, the simulator."""
