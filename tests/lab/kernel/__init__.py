"""The kernels that can carry the lab, and the choice between them."""
