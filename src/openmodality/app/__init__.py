"""The device as one object: builds and connects all parts from a site file, or looks at its data without them."""
