"""The OCF resource agent framework: declarations in, an agent that Pacemaker can run out.

It speaks the OCF Resource Agent API 1.1 and knows nothing of what an agent looks after.
"""
