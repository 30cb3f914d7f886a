"""The OCF resource agent framework: it turns declarations into an agent that Pacemaker can run.

It implements the OCF Resource Agent API 1.1 and knows nothing of the managed resource.
"""
