"""Our own generator of procedural RGB-D scenes, and the page to look at them."""
