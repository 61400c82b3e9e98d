"""`safemed demo`: a whole simulated study, then the app with studies waiting for real people."""
