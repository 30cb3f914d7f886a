"""The state of the cluster as the documents of Pacemaker describe it.  Pure."""
